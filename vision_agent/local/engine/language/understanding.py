"""Which request a sentence makes, spoken or typed.

The rules come first, then the nearest examples, then what the grammar's recogniser proposes: it
finds a request in any sound. A proposal comes first where it holds a taught name, or sounds like
words that were heard uncertainly. A sentence that none of them places asks for nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.free_wording import guessed, with_parts, without_thing
from vision_agent.local.engine.language.normalisation import MOST_CHARACTERS, normalise, plain
from vision_agent.local.engine.language.phrase_matching import as_meant, match, small_talk
from vision_agent.local.engine.language.sentence_form import (
    asks,
    is_for_others,
    is_foreign,
    is_past,
    without_negation,
)
from vision_agent.local.engine.language.sums import is_sum
from vision_agent.local.engine.language.whole_questions import whole_question
from vision_agent.local.engine.weights import WeightsError

if TYPE_CHECKING:
    from vision_agent.local.engine.language.nearest_examples import NearestExamples

_log = logging.getLogger(__name__)

AGREEMENT = 0.45
"""Largest phone distance at which a proposal is believed."""

CERTAIN_AGREEMENT, UNCERTAIN_AGREEMENT = 0.2, 0.3
"""The same for a proposal without a taught name, where the words that were heard are certain, and
where they are not."""

UNCERTAIN = -0.4
"""Mean log probability of the tokens below which the words are uncertain."""

SURE, GUESSED = -0.12, -1.0
"""The same above which no other words are believed, and below which they are as much of a guess."""

MISHEARD = -0.7
"""The same below which other words have to fit a rule."""

LEAST_COSINE = 0.58
"""Cosine below which no example is near enough."""

LEAST_LEAD = 0.06
"""By how much an intent must be nearer than sentences that ask for nothing."""

MOST_DOUBT = 0.15
"""By how much another intent may be nearer than one that a phrase of the sentence names."""

LEAST_GUESSED = 0.4
"""Cosine below which a phrase of the sentence is not believed."""

MOST_VERBATIM = 0.82
"""Cosine above which a sentence is nearly one of those that ask for nothing."""

ELSEWHERE = 0.6
"""Cosine of a sentence that asks for nothing from which nothing else is believed to be heard."""

STATED_COSINE, STATED_LEAD = 0.7, 0.15
"""The same for a sentence without the form of a question or a request."""

MISHEARD_COSINE, MISHEARD_LEAD = 0.85, 0.3
"""The same for a statement of any intent: its first word was misheard, as in "but there are any
chairs"."""

_STATED = frozenset(
    """stop_watch sure voice repeat thanks bye hello stop how_to_teach hear_me help how_are_you
    remind""".split()  # noqa: SIM905
)
"""Intents that a statement may have: "you are too quiet", "I did not get that"."""

_NO_INTENTS = frozenset({"-", "+", "!"})

_ELSEWHERE_INTENTS = frozenset({"-", "!", "beyond"})

_BESIDE = frozenset({"stop", "bye", "hello", "thanks"})
"""Requests that one part of a sentence can make: "I have to go, bye"."""

_LEAVES_IT = frozenset({"stop", "stop_watch", "no", "voice"})

_RED = re.compile(
    r"\b(?:right|read|bread|rate)(?= things?\b)|(?<=(?:any|ome)thing )(?:right|read|bread|rate)\b"
)

_ANY_MORE = re.compile(r"\b(?:any ?more|any longer|now)$")

_OF_THE_PAST = frozenset({"knows", "asked", "changed", "beyond", "repeat", "sure", "remind"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the grammar's recogniser makes of a sound. It finds a request in any sound.

    Attributes:
        words: A sentence of the grammar.
        distance: How differently it sounds from the words that were heard: 0 the same, 1 nothing
            in common (`pronunciation.phone_distance`).
    """

    words: str
    distance: float


def by_rules(
    text: str,
    proposal: Proposal | None = None,
    names: Collection[str] = (),
    agents: Collection[str] = (),
) -> Request | None:
    """The request by the rules and the grammar alone; arguments as of `Understanding.request`."""
    if is_sum(text):
        return Request("sum", loose=True)
    if whole := whole_question(text):
        return whole
    found = match(text, names, agents)
    if found is None and proposal is not None and proposal.distance <= AGREEMENT:
        found = match(proposal.words, names, agents)
        return as_meant(found, proposal.words) if found else None
    return as_meant(found, text) if found else None


def likelier(
    text: str,
    proposal: Proposal | None,
    names: Collection[str] = (),
    agents: Collection[str] = (),
    others: Sequence[str] = (),
) -> str:
    """What was said: the words that were heard, or others, if only those make a request.

    Args:
        text: As it was heard.
        proposal: What the grammar's recogniser made of the sound.
        names: Taught names that the proposal may hold besides the vocabulary.
        agents: Agents that the proposal may name.
        others: What it may have been as well.
    """
    for heard in (text, *(_with_colour(one) for one in (text, *others))):
        if by_rules(heard, None, names, agents) is not None:
            return heard
    believed = proposal is not None and by_rules(text, proposal, names, agents) is not None
    return proposal.words.capitalize() if proposal and believed else text


def _holds(proposal: Proposal | None, names: Collection[str]) -> bool:
    """Whether a proposal holds a name, which no other words are as likely to be."""
    return proposal is not None and any(f" {name} " in f" {proposal.words} " for name in names)


def _with_colour(text: str) -> str:
    """The text with "red" for what is heard instead: "the right thing", "anything read"."""
    return _RED.sub("red", text)


def free_requests(text: str) -> list[Request]:
    """The requests that the rules find if any words may be a name, the likeliest first."""
    words = normalise(text)
    guesses = [*guessed(words), *guessed(plain(words))] if asks(text) else []
    matched = match(text)
    return [as_meant(found, text) for found in guesses + ([matched] if matched else [])]


def by_examples(text: str, nearest: Callable[[str], Mapping[str, float]]) -> Request | None:
    """The request by the nearest examples. Pure, if `nearest` is.

    Args:
        text: As typed or heard.
        nearest: The cosine of the nearest example of each intent, the nearest first.
    """
    sentence = plain(normalise(text))
    cosines = _by_form(sentence, nearest) if asks(text) else nearest(sentence)
    nothing = cosines["-"]
    intent, cosine = next(pair for pair in cosines.items() if pair[0] not in _NO_INTENTS)
    if is_past(sentence.split()) and intent not in _OF_THE_PAST:
        return None
    enough = max(nothing, cosines["beyond"], cosine - MOST_DOUBT, LEAST_GUESSED)
    for free in free_requests(text):
        if cosines.get(free.intent, 0.0) >= enough:
            return free
    least, lead = LEAST_COSINE, LEAST_LEAD
    if not asks(text):
        least, lead = STATED_COSINE, STATED_LEAD
        if cosine >= MISHEARD_COSINE:
            lead = MISHEARD_LEAD
        elif intent not in _STATED:
            return None
    if intent == "beyond" or cosine < least or cosine - nothing < lead:
        return None
    found = with_parts(intent, sentence)
    return as_meant(found, text) if found else None


def _by_form(sentence: str, nearest: Callable[[str], Mapping[str, float]]) -> Mapping[str, float]:
    """The cosines of a question, whatever the visible thing that it is about."""
    cosines = nearest(sentence)
    masked = without_thing(sentence)
    if masked is None or max(cosines["-"], cosines["beyond"]) > MOST_VERBATIM:
        return cosines
    about_cup, noun = masked
    kinds = nearest(noun)
    if kinds["+"] < kinds["!"]:
        return cosines
    of_form = nearest(about_cup)
    asked = {
        intent: of_form[intent] if intent in ("-", "beyond") else max(cosine, cosines[intent])
        for intent, cosine in of_form.items()
    }
    return dict(sorted(asked.items(), key=lambda pair: -pair[1]))


def lone_word(
    close: Sequence[str], names: Collection[str], agents: Collection[str]
) -> tuple[str, Request] | None:
    """The first of texts that is nothing but a greeting, a farewell, thanks or "stop".

    A lone short word is what Whisper is worst at: it takes a synthetic "hello" for "and allow" in
    one of three runs, with "Hello." about as likely.

    Args:
        close: Texts that are about as likely as what was heard.
        names: See `by_rules`.
        agents: See `by_rules`.
    """
    for text in close:
        if len(text.split()) == 1:
            request = by_rules(text, None, names, agents)
            if request is not None and request.intent in _BESIDE:
                return text, request
    return None


class Understanding:
    """Decides for all conversations; the encoder runs in one thread of its own.

    Without the encoder's weights the rules alone decide; the log says so once.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "sentence-encoder")
        self._examples: NearestExamples | None = None
        self._missing = False

    def begin(self) -> None:
        """Load the encoder in its thread, so that the first sentence need not wait for it."""
        self._thread.submit(self._load)

    def close(self) -> None:
        """End the thread; a sentence that is being compared is finished first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def request(
        self,
        text: str,
        proposal: Proposal | None = None,
        names: Collection[str] = (),
        agents: Collection[str] = (),
        *,
        spoken: bool = True,
    ) -> Request | None:
        """The request that a sentence makes; None if it makes none.

        Args:
            text: As typed, or as it was heard, with or without punctuation.
            proposal: What the grammar's recogniser made of the sound.
            names: Taught names that the proposal may hold besides the vocabulary.
            agents: Agents that the proposal may name.
            spoken: Whether it was spoken: then "yes" and "wait" may be said to anybody.
        """
        if not spoken and (reply := small_talk(text)):
            return reply
        if not spoken and is_foreign(text):
            return Request("speak", loose=True)
        if is_for_others(text):
            return None
        found = await self._request(text, proposal, names, agents)
        negated = without_negation(normalise(text).split())
        if negated and len(negated) > 1 and (found is None or found.intent not in _LEAVES_IT):
            wish = found or await self._request(" ".join(negated), None, names, agents)
            if wish and wish.intent == "watch" and _ANY_MORE.search(normalise(text)):
                return Request("stop_watch", loose=True)
            return Request("no", loose=True) if wish else None
        if found is None:
            parts = re.split(r"[,.;:!?]+", text[:MOST_CHARACTERS])
            ruled = (by_rules(part, None, names, agents) for part in parts)
            found = next((one for one in ruled if one and one.intent in _BESIDE), None)
        return found

    async def heard(
        self,
        text: str,
        proposal: Proposal | None,
        names: Collection[str] = (),
        agents: Collection[str] = (),
        *,
        others: Sequence[str] = (),
        close: int = 0,
        log_probability: float = 0.0,
    ) -> tuple[str, Request | None]:
        """What was said, and the request that it makes; None if it makes none.

        Nor does it make one if the words are uncertain, and others that are about as likely ask for
        something else. Arguments as of `request`, `likelier` and `hearing.worker_messages.Heard`.
        """
        uncertain = log_probability < UNCERTAIN
        distance = proposal.distance if proposal else 1.0
        near = distance <= CERTAIN_AGREEMENT
        first = (near and uncertain) or _holds(proposal, {*names, *agents})
        likely = likelier(text, proposal if first else None, names, agents)
        lone = lone_word(others[:close], names, agents)
        others = others if GUESSED <= log_probability < SURE else ()
        ruled = by_rules(likely, None, names, agents)
        blocked = ruled is not None or is_for_others(text)
        if others and not blocked and not await self._is_elsewhere(likely):
            likely = likelier(likely, None, names, agents, others)
        request = await self.request(likely, None, names, agents)
        if request is not None and uncertain:
            for other in others[:close]:
                wish = await self.request(other, None, names, agents)
                if wish is not None and wish.intent != request.intent:
                    return likely, None
        if request is None and lone is not None and not is_for_others(text):
            return lone
        if request is not None or is_for_others(text) or await self._is_elsewhere(likely):
            return likely, request
        found = []
        for other in others if log_probability >= MISHEARD else ():
            words = likelier(other, None, names, agents)
            if wish := await self.request(words, None, names, agents):
                found.append((words, wish))
        if len({wish.intent for _, wish in found}) == 1:
            return found[0]
        believed = near or (uncertain and distance <= UNCERTAIN_AGREEMENT)
        if believed and not found:
            likely = likelier(text, proposal, names, agents)
            request = by_rules(likely, None, names, agents)
        return likely, request

    async def _is_elsewhere(self, text: str) -> bool:
        """Whether a sentence is much like one that asks for nothing, or for what no camera sees."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._near_nothing, text)

    def _near_nothing(self, text: str) -> bool:
        """In the encoder's thread."""
        examples = self._load()
        if examples is None or not (sentence := plain(normalise(text))):
            return False
        cosines = examples.cosines(sentence)
        nearest = next(intent for intent in cosines if intent != "+")
        elsewhere = _ELSEWHERE_INTENTS if asks(text) else _ELSEWHERE_INTENTS - {"!"}
        return nearest in elsewhere and cosines[nearest] >= ELSEWHERE

    async def _request(
        self,
        text: str,
        proposal: Proposal | None,
        names: Collection[str],
        agents: Collection[str],
    ) -> Request | None:
        found = by_rules(text, proposal, names, agents)
        if found is not None or not normalise(text):
            return found
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._placed, text)

    def _placed(self, text: str) -> Request | None:
        """In the encoder's thread."""
        examples = self._load()
        if examples is None:
            return next(iter(free_requests(text)), None)
        return by_examples(text, examples.cosines)

    def _load(self) -> NearestExamples | None:
        if self._examples is None and not self._missing:
            # Imported here: onnxruntime takes 0.1 s and 30 MB.
            from vision_agent.local.engine.language.nearest_examples import NearestExamples

            try:
                self._examples = NearestExamples()
            except WeightsError as error:
                self._missing = True
                _log.warning("%s Only sentences that a rule fits are understood.", error)
        return self._examples
