"""Finds a sentence's request by its nearest examples, if no rule fits it. Pure.

A score is the cosine of an intent's nearest example, raised by the intent's probability
(`nearest_examples.NearestExamples.compared`). A logistic regression tells how certain the request
with the largest score is. It was fitted on sentences by authors who were left out of the examples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.free_wording import (
    NO_EVENT,
    guessed,
    with_parts,
    without_thing,
)
from vision_agent.local.engine.language.normalisation import normalise, plain
from vision_agent.local.engine.language.phrase_matching import as_meant, match
from vision_agent.local.engine.language.sentence_form import asks, is_past

if TYPE_CHECKING:
    from vision_agent.local.engine.language.nearest_examples import Compared

LEAST_CERTAIN = 0.65
"""Probability of being right below which a sentence makes no request."""

_BIAS, _OVER_NOTHING, _OVER_BEYOND = -4.23, 2.54, 2.05
_ASKED, _STATED_ONE, _PROBABLE, _PROBABLY_BEYOND = 2.31, 1.69, 4.08, -2.74
"""Coefficients of the log odds: the intercept; a score's lead over sentences that ask for nothing,
and over questions that no camera answers; the form of a question or a request; an intent that
statements may have; the intent's probability, and the probability that no camera answers."""

MOST_DOUBT = 0.1
"""How much another intent may score above the one that a phrase of the sentence names."""

MOST_VERBATIM = 0.95
"""Score above which a sentence is nearly one of those that ask for nothing."""

_STATED = frozenset(
    """stop_watch sure voice repeat thanks bye hello stop how_to_teach hear_me help how_are_you
    remind""".split()  # noqa: SIM905
)
"""Intents that a statement may have: "you are too quiet", "I did not get that"."""

_NO_REQUESTS = frozenset({"-", "+", "!", "beyond"})

_OF_THE_PAST = frozenset({"knows", "asked", "changed", "beyond", "repeat", "sure", "remind"})

_OF_CALLER = re.compile(r"\b(?:me|my|myself|us|i|we|our)\b")
"""Words of sentences that ask whether the caller is seen."""

_LEAST_WORDS = 4

Scores = Mapping[str, float]


def free_requests(text: str) -> list[Request]:
    """The requests that the rules find if any words may be a name, likeliest first."""
    words = normalise(text)
    guesses = [*guessed(words), *guessed(plain(words))] if asks(text) else []
    if (matched := match(text)) and not re.match(NO_EVENT, matched.slots.get("event", "")):
        guesses.append(matched)
    return [as_meant(found, text) for found in guesses]


def without_statements(text: str) -> str | None:
    """The parts of a text that ask: "I can't see it, what is it?"; None if all do, or too little.

    A statement beside a question has nouns of its own, which the question is not about.
    """
    parts = [part for part in re.split(r"(?<=[,.;:!?])\s+", text.strip()) if part]
    asking = [part for part in parts if asks(part)]
    rest = " ".join(asking)
    enough = len(normalise(rest).split()) >= _LEAST_WORDS
    return rest if enough and len(asking) < len(parts) else None


def by_examples(text: str, compared: Callable[[str], Compared]) -> Request | None:
    """The request by the nearest examples. Pure, if `compared` is.

    Args:
        text: As typed or heard.
        compared: How near a sentence is to each intent.
    """
    sentence = plain(normalise(text))
    near = compared(sentence)
    scores = _by_form(sentence, compared, near.scores) if asks(text) else near.scores
    intent = next(name for name in scores if name not in _NO_REQUESTS)
    if is_past(sentence.split()) and intent not in _OF_THE_PAST:
        return None
    enough = scores[intent] - MOST_DOUBT
    guesses = [one for one in free_requests(text) if one.intent in scores]
    if intent == "see_me" and guesses and not _OF_CALLER.search(sentence):
        return guesses[0]  # "do you see a camera"
    free = next((one for one in guesses if scores[one.intent] >= enough), None)
    intent = free.intent if free else intent
    told = max(scores["-"], scores["beyond"])
    if free and match(text) and scores[intent] >= told:
        return free  # a phrase of the table, about a thing or a name that the table lacks
    if _certainty(intent, asks(text), scores, near.probable) < LEAST_CERTAIN:
        return None
    found = free or with_parts(intent, sentence)
    return as_meant(found, text) if found else None


def _certainty(intent: str, asked: bool, scores: Scores, probable: Scores) -> float:
    """How probable it is that a sentence makes the request with this intent."""
    odds = _BIAS + _PROBABLE * probable.get(intent, 0.0) + _PROBABLY_BEYOND * probable["beyond"]
    odds += _OVER_NOTHING * (scores[intent] - scores["-"])
    odds += _OVER_BEYOND * (scores[intent] - scores["beyond"])
    odds += _ASKED if asked else _STATED_ONE * (intent in _STATED)
    return 1 / (1 + math.exp(-odds))


def _by_form(sentence: str, compared: Callable[[str], Compared], scores: Scores) -> Scores:
    """The scores of a question, independent of the visible thing that it is about."""
    masked = without_thing(sentence)
    if masked is None or max(scores["-"], scores["beyond"]) > MOST_VERBATIM:
        return scores
    about_cup, noun = masked
    kinds = compared(noun).scores
    if kinds["+"] < kinds["!"]:
        return scores
    of_form = compared(about_cup).scores
    asked = {
        intent: of_form[intent] if intent in ("-", "beyond") else max(score, scores[intent])
        for intent, score in of_form.items()
    }
    return dict(sorted(asked.items(), key=lambda pair: -pair[1]))
