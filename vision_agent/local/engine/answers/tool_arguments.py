"""Takes a tool's arguments from the words of a sentence. Pure; no value is invented.

Durations and numbers are filled first, then listed values, then one text: the words that are left
after the phrase that asks for the tool. As a rule each word is used once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vision_agent.local.engine.answers.request_words import BEFORE_TEXT, RequestWords, plain_text
from vision_agent.local.engine.answers.tool_numbers import (
    cast_number,
    identifier,
    is_duration,
    spoken_number,
)
from vision_agent.local.engine.answers.tool_schema import Parameter, Tool
from vision_agent.local.engine.answers.tool_text import remainder
from vision_agent.local.engine.answers.tool_values import (
    QUESTION_WORDS,
    has_second_quantity,
    looks_like_value,
    says_something,
    takes_sentences,
    trimmed,
    without_lead,
)
from vision_agent.local.engine.answers.tool_words import LITTLE, stem
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.spoken_numbers import number_at


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments found in a sentence.

    Attributes:
        values: Values by parameter name.
        missing: Required parameters without a value in the sentence.
        boxes: Parameters that are boxes; they are located in the frame, not asked for.
        about: The text that the request is about, if any: "red thing".
        rest: The words that no argument uses.
        several: Whether the sentence has more amounts than one call takes.
    """

    values: dict[str, Any]
    missing: tuple[Parameter, ...]
    boxes: tuple[Parameter, ...]
    about: str
    rest: tuple[str, ...]
    several: bool = False


def fill(
    tool: Tool,
    words: Sequence[str],
    asked: tuple[int, int] | None,
    now: datetime | None = None,
) -> Arguments:
    """Fills a tool's parameters from a sentence.

    Args:
        tool: The tool.
        words: The words of the normalised sentence.
        asked: Start and end (exclusive) of a phrase that asks for this tool: "remind me".
        now: The present time, for values that are a time of day; None if unknown.
    """
    sentence = RequestWords(words, asked, now)
    values: dict[str, Any] = {}
    by_kind = sorted(tool.parameters, key=_order)
    for parameter in by_kind:
        value = None
        if parameter.choices:
            value = _choice(parameter, sentence)
        elif parameter.kind in ("integer", "number"):
            value = spoken_number(parameter, sentence)
        elif parameter.kind == "string":
            value = identifier(parameter, sentence)
        if value is not None:
            values[parameter.name] = value
    about = _text(tool, sentence, values)
    several = _drop_several(tool, sentence, values)
    boxes = tuple(p for p in tool.parameters if p.is_box)
    if not about and boxes:
        about = remainder(tool, sentence)
    missing = tuple(
        p for p in tool.parameters if p.required and p.name not in values and not p.is_box
    )
    return Arguments(values, missing, boxes, about, tuple(sentence.rest()), several)


def one_value(
    parameter: Parameter, answer: str, now: datetime | None = None, *, of: Tool | None = None
) -> Any:
    """The value in an answer to "which …?"; None if the answer has none.

    Args:
        parameter: The parameter that was asked for.
        answer: The caller's answer.
        now: The present time, if known.
        of: The tool. If its parameter takes no sentences, the answer has to name something.
    """
    words = normalise(answer).split()
    if of is not None and parameter.is_text and not takes_sentences(of, parameter):
        words = without_lead(parameter, " ".join(words)).split()
        named = parameter.kind == "array" or looks_like_value(words)
        if not named or not says_something(parameter, " ".join(words)):
            return None
    sentence = RequestWords(words, now=now)
    if parameter.choices:
        return _choice(parameter, sentence)
    if parameter.kind in ("integer", "number"):
        found = spoken_number(parameter, sentence)
        plain = [
            number
            for at in range(len(words))
            if sentence.clock is None and (number := number_at(words, at))
        ]
        # In an answer to a question for a number of seconds, "five" means five seconds.
        return found if found is not None or not plain else cast_number(parameter, plain[0][0])
    if parameter.kind == "string":
        if words[:1] and words[0] in QUESTION_WORDS:
            return None
        return identifier(parameter, sentence) or plain_text(words) or None
    return _parts(plain_text(words)) if parameter.is_text else None


def _order(parameter: Parameter) -> tuple[int, bool]:
    numbers = parameter.kind in ("integer", "number")
    rank = 0 if is_duration(parameter) else 2 if parameter.choices else 1 if numbers else 3
    return rank, not parameter.required


def _drop_several(tool: Tool, sentence: RequestWords, values: dict[str, Any]) -> bool:
    """Drops a text that names a second amount, and the numbers; returns whether it did."""
    numbers = [p for p in tool.parameters if p.kind in ("integer", "number") and not is_duration(p)]
    texts = [
        p
        for p in tool.parameters
        if p.kind == "string" and p.is_text and not takes_sentences(tool, p)
    ]
    found = [p for p in texts if " and " in str(values.get(p.name, ""))]
    if not numbers or not found or not has_second_quantity(" ".join(sentence.words)):
        return False
    for parameter in (*numbers, *found):
        values.pop(parameter.name, None)
    return True


def _choice(parameter: Parameter, sentence: RequestWords) -> Any:
    """The listed value that the sentence names: the one with most words, then the first named."""
    best: tuple[int, int] | None = None
    chosen: Any = None
    places: list[int] = []
    said = [
        stem(word) if free else "" for word, free in zip(sentence.words, sentence.free, strict=True)
    ]
    for choice in parameter.choices:
        wanted = [stem(word) for word in normalise(str(choice).replace("_", " ")).split()]
        wanted = [word for word in wanted if word not in LITTLE] or wanted
        hits = [said.index(word) for word in wanted if word in said]
        if not wanted or len(hits) < len(wanted):
            continue
        rank = (len(hits), -min(hits))
        if best is None or rank > best:
            best, chosen, places = rank, choice, hits
    if not places:
        return None
    # "in the kitchen": the function words before the value belong to it.
    start = at = min(places)
    while at > sentence.after and sentence.words[at - 1] in (*BEFORE_TEXT, "the", "a", "an"):
        at -= 1
    apart = any(word in BEFORE_TEXT for word in sentence.words[at:start])
    if parameter.required or apart:
        sentence.use(at, start)
        for place in places:
            sentence.use(place, place + 1)
    # Otherwise the words may be used twice: "a face appears" is the text, and "face" its kind.
    return chosen


def _text(tool: Tool, sentence: RequestWords, values: dict[str, Any]) -> str:
    """Fills the one text parameter that has no value yet; returns what the request is about."""
    texts = [p for p in tool.parameters if p.is_text]
    left = [p for p in texts if p.name not in values and p.required]
    if not left and len(texts) == 1 and texts[0].name not in values:
        left = texts  # a tool's only text parameter takes what the request is about
    if len(left) != 1:
        return ""
    about = remainder(tool, sentence)
    if not takes_sentences(tool, left[0]):
        about = trimmed(left[0], without_lead(left[0], about))
        about = about if says_something(left[0], about) else ""
    if about:
        values[left[0].name] = _parts(about) if left[0].kind == "array" else about
    return about


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r" and ", text) if part]
