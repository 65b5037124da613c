"""Which request a sentence makes by its nearest examples, where no rule fits it. Pure.

A score is the cosine of an intent's nearest example, raised by how probable the intent is
(`nearest_examples.NearestExamples.scores`). Thresholds were chosen on sentences by authors who were
left out of the examples.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.free_wording import guessed, with_parts, without_thing
from vision_agent.local.engine.language.normalisation import normalise, plain
from vision_agent.local.engine.language.phrase_matching import as_meant, match
from vision_agent.local.engine.language.sentence_form import asks, is_past

LEAST_SCORE = 0.62
"""Score below which no example is near enough."""

LEAST_LEAD = 0.1
"""By how much an intent must score above sentences that ask for nothing."""

BEYOND_LEAD = 0.12
"""The same above questions that no camera answers."""

RIVAL_LEAD = 0.1
"""The same above every other request."""

MOST_DOUBT = 0.1
"""By how much another intent may score above one that a phrase of the sentence names."""

LEAST_GUESSED = 0.4
"""Score below which a phrase of the sentence is not believed."""

MOST_VERBATIM = 0.95
"""Score above which a sentence is nearly one of those that ask for nothing."""

STATED_SCORE, STATED_LEAD = 1.0, 0.15
"""The same for a sentence without the form of a question or a request."""

MISHEARD_SCORE, MISHEARD_LEAD = 1.2, 0.6
"""The same for a statement of any intent: its first word was misheard, as in "but there are any
chairs"."""

_STATED = frozenset(
    """stop_watch sure voice repeat thanks bye hello stop how_to_teach hear_me help how_are_you
    remind""".split()  # noqa: SIM905
)
"""Intents that a statement may have: "you are too quiet", "I did not get that"."""

_NO_INTENTS = frozenset({"-", "+", "!"})

_OF_THE_PAST = frozenset({"knows", "asked", "changed", "beyond", "repeat", "sure", "remind"})

_LEAST_WORDS = 4

Scores = Mapping[str, float]


def free_requests(text: str) -> list[Request]:
    """The requests that the rules find if any words may be a name, the likeliest first."""
    words = normalise(text)
    guesses = [*guessed(words), *guessed(plain(words))] if asks(text) else []
    matched = match(text)
    return [as_meant(found, text) for found in guesses + ([matched] if matched else [])]


def without_statements(text: str) -> str | None:
    """The parts of a text that ask: "I can't see it, what is it?"; None if all do, or too little.

    What is told beside a question has nouns of its own, which the question is not about.
    """
    parts = [part for part in re.split(r"(?<=[,.;:!?])\s+", text.strip()) if part]
    asking = [part for part in parts if asks(part)]
    rest = " ".join(asking)
    enough = len(normalise(rest).split()) >= _LEAST_WORDS
    return rest if enough and len(asking) < len(parts) else None


def by_examples(text: str, scored: Callable[[str], Scores]) -> Request | None:
    """The request by the nearest examples. Pure, if `scored` is.

    Args:
        text: As typed or heard.
        scored: The score of each intent, the largest first.
    """
    sentence = plain(normalise(text))
    scores = _by_form(sentence, scored) if asks(text) else scored(sentence)
    nothing, beyond = scores["-"], scores["beyond"]
    requests = ((name, score) for name, score in scores.items() if name not in _NO_INTENTS)
    (intent, score), (_, rival) = itertools.islice(requests, 2)
    if is_past(sentence.split()) and intent not in _OF_THE_PAST:
        return None
    enough = max(nothing, beyond + BEYOND_LEAD, score - MOST_DOUBT, LEAST_GUESSED)
    for free in free_requests(text):
        if scores.get(free.intent, 0.0) >= enough:
            return free
    least, lead = LEAST_SCORE, LEAST_LEAD
    if not asks(text):
        least, lead = STATED_SCORE, STATED_LEAD
        if score >= MISHEARD_SCORE:
            lead = MISHEARD_LEAD
        elif intent not in _STATED:
            return None
    least = max(least, nothing + lead, beyond + BEYOND_LEAD, rival + RIVAL_LEAD)
    if intent == "beyond" or score < least:
        return None
    found = with_parts(intent, sentence)
    return as_meant(found, text) if found else None


def _by_form(sentence: str, scored: Callable[[str], Scores]) -> Scores:
    """The scores of a question, whatever the visible thing that it is about."""
    scores = scored(sentence)
    masked = without_thing(sentence)
    if masked is None or max(scores["-"], scores["beyond"]) > MOST_VERBATIM:
        return scores
    about_cup, noun = masked
    kinds = scored(noun)
    if kinds["+"] < kinds["!"]:
        return scores
    of_form = scored(about_cup)
    asked = {
        intent: of_form[intent] if intent in ("-", "beyond") else max(score, scores[intent])
        for intent, score in of_form.items()
    }
    return dict(sorted(asked.items(), key=lambda pair: -pair[1]))
