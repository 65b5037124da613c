"""Finds the request in a sentence, spoken or typed.

The rules come first, then the nearest examples, then the proposal of the grammar recogniser, which
finds a request in any sound. A proposal comes first if it holds a taught name, or sounds like words
that were recognised with low confidence. A sentence that none of them places asks for nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.intent_classification import (
    by_examples,
    free_requests,
    without_statements,
)
from vision_agent.local.engine.language.normalisation import MOST_CHARACTERS, normalise, plain
from vision_agent.local.engine.language.phrase_matching import as_meant, match, small_talk
from vision_agent.local.engine.language.sentence_form import (
    asks,
    is_for_others,
    is_foreign,
    without_negation,
)
from vision_agent.local.engine.language.sums import is_sum
from vision_agent.local.engine.language.vocatives import names_somebody
from vision_agent.local.engine.language.whole_questions import whole_question
from vision_agent.local.engine.weights import WeightsError

if TYPE_CHECKING:
    from vision_agent.local.engine.language.nearest_examples import NearestExamples

_log = logging.getLogger(__name__)

AGREEMENT = 0.45
"""Largest phone distance at which a proposal is believed."""

CERTAIN_AGREEMENT, UNCERTAIN_AGREEMENT = 0.2, 0.3
"""The same for a proposal without a taught name, beside certain words and beside uncertain ones."""

UNCERTAIN = -0.4
"""Mean log probability of the tokens below which words are uncertain."""

SURE, GUESSED = -0.12, -1.0
"""Mean log probability above which no other words are believed, and below which the other words are
guesses, too."""

MISHEARD = -0.7
"""Mean log probability below which other words have to fit a rule."""

ELSEWHERE = 0.6
"""Cosine to a sentence that asks for nothing, from which on other words are not considered."""

_ELSEWHERE_INTENTS = frozenset({"-", "!", "beyond"})

_ALONE = frozenset({"stop", "bye", "hello", "thanks"})
"""Requests that a lone word can make."""

_BESIDE = _ALONE | {"repeat"}
"""Requests that one part of a sentence can make: "I have to go, bye"."""

_LEAVES_IT = frozenset({"stop", "stop_watch", "no", "voice"})

_RED = re.compile(
    r"\b(?:right|read|bread|rate)(?= things?\b)|(?<=(?:any|ome)thing )(?:right|read|bread|rate)\b"
)

_ANY_MORE = re.compile(r"\b(?:any ?more|any longer|now)$")

_NO_PARTS = frozenset({"ok", "okay", "hey", "hey there"})
"""Parts of a sentence that make no request beside others: "okay, so"."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The hypothesis of the grammar recogniser, which finds a request in any sound.

    Attributes:
        words: A sentence of the grammar.
        distance: The phone distance to the other recognisers' words: 0 the same, 1 nothing in
            common (`pronunciation.phone_distance`).
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
    """The likeliest words: the best hypothesis, or another one if only that makes a request.

    Args:
        text: The best hypothesis.
        proposal: The grammar recogniser's hypothesis.
        names: Taught names that the proposal may hold besides the vocabulary.
        agents: Agents that the proposal may name.
        others: The next best hypotheses.
    """
    for words in (text, *(_with_colour(one) for one in (text, *others))):
        if by_rules(words, None, names, agents) is not None:
            return words
    believed = proposal is not None and by_rules(text, proposal, names, agents) is not None
    return proposal.words.capitalize() if proposal and believed else text


def _holds(proposal: Proposal | None, names: Collection[str]) -> bool:
    """Whether a proposal holds a taught name, which is likelier than any other words."""
    return proposal is not None and any(f" {name} " in f" {proposal.words} " for name in names)


def _with_colour(text: str) -> str:
    """The text with "red" for what is recognised instead: "the right thing", "anything read"."""
    return _RED.sub("red", text)


def is_to_others(text: str, known: Collection[str] = ()) -> bool:
    """Whether a sentence addresses somebody else, or is about a story or a kind of thing.

    Args:
        text: As typed or heard; punctuation helps.
        known: Taught names and agents.
    """
    return is_for_others(text) or names_somebody(text, known)


def lone_word(
    close: Sequence[str], names: Collection[str], agents: Collection[str]
) -> tuple[str, Request] | None:
    """The first text that is nothing but a greeting, a farewell, thanks or "stop".

    Whisper is worst at a lone short word: it takes a synthetic "hello" for "and allow" in one of
    three runs, with "Hello." about as likely.

    Args:
        close: Texts that are about as likely as the best hypothesis.
        names: See `by_rules`.
        agents: See `by_rules`.
    """
    for text in close:
        if len(text.split()) == 1:
            request = by_rules(text, None, names, agents)
            if request is not None and request.intent in _ALONE:
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
            text: As typed or recognised, with or without punctuation.
            proposal: The grammar recogniser's hypothesis.
            names: Taught names that the proposal may hold besides the vocabulary.
            agents: Agents that the proposal may name.
            spoken: Whether it was spoken: then "yes" and "wait" may be said to anybody.
        """
        if not spoken and (reply := small_talk(text)):
            return reply
        if not spoken and is_foreign(text):
            return Request("speak", loose=True)
        if is_to_others(text, {*names, *agents}):
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
            said = (part for part in parts if normalise(part) not in _NO_PARTS)
            ruled = (by_rules(part, None, names, agents) for part in said)
            found = next((one for one in ruled if one and one.intent in _BESIDE), None)
        return found

    async def spoken_request(
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

        Uncertain words make none either if others that are about as likely ask for something else.
        Arguments as of `request`, `likelier` and `hearing.worker_messages.Recognition`.
        """
        uncertain = log_probability < UNCERTAIN
        distance = proposal.distance if proposal else 1.0
        near = distance <= CERTAIN_AGREEMENT
        first = (near and uncertain) or _holds(proposal, {*names, *agents})
        likely = likelier(text, proposal if first else None, names, agents)
        lone = lone_word(others[:close], names, agents)
        others = others if GUESSED <= log_probability < SURE else ()
        ruled = by_rules(likely, None, names, agents)
        to_others = is_to_others(text, {*names, *agents})
        blocked = ruled is not None or to_others
        if others and not blocked and not await self._is_elsewhere(likely):
            likely = likelier(likely, None, names, agents, others)
        request = await self.request(likely, None, names, agents)
        if request is not None and uncertain:
            for other in others[:close]:
                wish = await self.request(other, None, names, agents)
                if wish is not None and wish.intent != request.intent:
                    return likely, None
        if request is None and lone is not None and not to_others:
            return lone
        if request is not None or to_others or await self._is_elsewhere(likely):
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
        """Whether a sentence is close to one that asks for nothing, or that no camera answers."""
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
        question = without_statements(text)
        found = by_examples(question, examples.compared) if question else None
        return found or by_examples(text, examples.compared)

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
