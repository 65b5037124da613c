"""Numbers, durations and times of day as arguments of a tool. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from vision_agent.local.engine.answers.request_words import RequestWords, plain_text
from vision_agent.local.engine.answers.tool_schema import Parameter, Tool
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.spoken_numbers import SECONDS, durations, number_at

_NUMBERS = frozenset("id number no nr code reference zip pin".split())  # noqa: SIM905
"""Words in the names of text parameters that take an identifier."""


def is_duration(parameter: Parameter) -> bool:
    """Whether a parameter is a number of seconds, minutes or hours."""
    return parameter.kind in ("integer", "number") and _unit(parameter) is not None


def seconds_of(parameter: Parameter, value: float) -> float | None:
    """The value of a duration parameter in seconds; None if the parameter is not a duration."""
    unit = _unit(parameter) if is_duration(parameter) else None
    return None if unit is None else value * unit if unit else value / 1000


def time_answer(tool: Tool, answer: str, now: datetime | None) -> tuple[Parameter, Any] | None:
    """The duration parameter and its value, if the answer is only a time."""
    words = normalise(answer).split()
    for parameter in tool.parameters:
        if not is_duration(parameter):
            continue
        sentence = RequestWords(words, now=now)
        value = spoken_number(parameter, sentence)
        if value is not None and not set(sentence.rest()) - {"please", "then", "no", "make", "it"}:
            return parameter, value
    return None


def amount_and_thing(words: Sequence[str]) -> tuple[float, str] | None:
    """A number and the words after it: "two bottles of milk"; None if there is no number."""
    found = number_at(words, 0) if words else None
    if found is None and words[:1] in (["a"], ["an"]):
        found = 1.0, 1
    text = plain_text(words[found[1] :]) if found else ""
    return (found[0], text) if found and text else None


def identifier(parameter: Parameter, sentence: RequestWords) -> str | None:
    """The number in a sentence, for a text parameter that is an identifier: "order number 77"."""
    if not _NUMBERS & set(parameter.words):
        return None
    for at, word in enumerate(sentence.words):
        if sentence.free[at] and any(character.isdigit() for character in word):
            sentence.use(_from_number(sentence.words, at), at + 1)
            return word
    for at in range(len(sentence.words)):
        found = number_at(sentence.words, at)
        if found and all(sentence.free[at : at + found[1]]):
            sentence.use(_from_number(sentence.words, at), at + found[1])
            return f"{found[0]:g}"
    return None


def spoken_number(parameter: Parameter, sentence: RequestWords) -> float | int | None:
    """The first number, or for a duration the first time, that no other argument uses."""
    unit = _unit(parameter)
    if unit is not None:
        for seconds, start, end in durations(sentence.words):
            if all(sentence.free[start:end]):
                sentence.use(start, end)
                return cast_number(parameter, seconds / unit if unit else seconds * 1000)
        clock = sentence.clock
        if clock is None or not all(sentence.free[clock.start : clock.end]):
            return None
        sentence.use(clock.start, clock.end)
        if sentence.now is None:
            return None
        wait_s = (clock.at - sentence.now).total_seconds()
        return cast_number(parameter, max(1.0, round(wait_s / unit if unit else wait_s * 1000)))
    times = [(start, end) for _, start, end in durations(sentence.words)]
    if clock := sentence.clock:
        times.append((clock.start, clock.end))
    found = [
        (at, number)
        for at in range(len(sentence.words))
        if (number := number_at(sentence.words, at)) and all(sentence.free[at : at + number[1]])
    ]
    # "set the volume at five": a clock time counts as a number only if there is no other number.
    apart = [one for one in found if not any(start <= one[0] < end for start, end in times)]
    in_clock = [one for one in found if clock and clock.start <= one[0] < clock.end]
    if not apart and len(in_clock) == 1 and clock and clock.end - clock.start == 2:
        apart = in_clock
    if not apart:
        return None
    at, number = apart[0]
    sentence.use(at, at + number[1])
    return cast_number(parameter, number[0])


def cast_number(parameter: Parameter, value: float) -> float | int:
    """A number in the type that the parameter takes."""
    return round(value) if parameter.kind == "integer" or value == int(value) else value


def _from_number(words: Sequence[str], at: int) -> int:
    """The index at which "number 77" begins, if 77 is at ``at``."""
    return at - 1 if at and words[at - 1] in _NUMBERS else at


def _unit(parameter: Parameter) -> int | None:
    """Seconds in the parameter's unit (0 for milliseconds); None if it is not a time."""
    for text in (parameter.words, normalise(parameter.description).split()):
        for word in text:
            if word in ("ms", "milliseconds"):
                return 0
            if word in ("s", "sec", "secs"):
                return 1
            if seconds := SECONDS.get(word.removesuffix("s")):
                return seconds
    return None
