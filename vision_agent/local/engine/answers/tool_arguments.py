"""Arguments for a tool, taken from the words that were said. Pure; nothing is made up.

Each word is used once: durations and numbers first, then listed values, then yes and no, and what
is left after the words that ask for the tool is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vision_agent.local.engine.answers.tool_schema import Parameter, Tool
from vision_agent.local.engine.answers.tool_values import (
    FILLERS,
    has_second_quantity,
    looks_like_value,
    says_something,
    takes_sentences,
    trimmed,
    without_lead,
)
from vision_agent.local.engine.answers.tool_words import (
    ASKING,
    LITTLE,
    find_words,
    split_name,
    stem,
    stems,
)
from vision_agent.local.engine.language.clock_times import clock_time
from vision_agent.local.engine.language.intents import normalise
from vision_agent.local.engine.language.spoken_numbers import SECONDS, durations, number_at

_BEFORE_TEXT = (
    "in",
    "for",
    "of",
    "to",
    "about",
    "on",
    "at",
    "from",
    "named",
    "called",
    "that",
    "is",
)
_YES = frozenset("on yes true enable enabled start open".split())  # noqa: SIM905
_NO = frozenset("off no false disable disabled stop close without".split())  # noqa: SIM905
_STATES = frozenset("on enabled enable active state open running powered power".split())  # noqa: SIM905
_TRAILING = frozenset("please thanks now and to for is are at on do we i have there".split())  # noqa: SIM905
_DETERMINERS = frozenset("the my our your this that a an".split())  # noqa: SIM905
_AT_A_PLACE = frozenset("to on in into onto from at off out".split())  # noqa: SIM905
_LEADING = frozenset("to that about for at of on in if when the a an please is".split())  # noqa: SIM905
_TIMES = frozenset("time when date datetime due deadline day".split())  # noqa: SIM905
_NUMBERS = frozenset("id number no nr code reference zip pin".split())  # noqa: SIM905
_REASONS = frozenset("reason why cause note comment".split())  # noqa: SIM905
_QUESTION = frozenset(
    """what who where when why how which is are was do does did can could will would""".split()  # noqa: SIM905
)
"""What no answer begins with."""

_LONGEST_LOOSE = 12
"""Words that are taken as text without a word like "to" or "about" before them."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What could be filled in.

    Attributes:
        values: By parameter.
        missing: What is required and was not said.
        boxes: Parameters that are places in the picture; not missing, but to be looked for.
        about: The text that the request is about, if any: "red thing".
        rest: The words that are in none of it.
        several: Whether more than one amount was said, of which a call takes one.
    """

    values: dict[str, Any]
    missing: tuple[Parameter, ...]
    boxes: tuple[Parameter, ...]
    about: str
    rest: tuple[str, ...]
    several: bool = False


_SOME_DAY = datetime(2000, 1, 3)


class _Sentence:
    """Words, and which of them are used up."""

    def __init__(
        self,
        words: Sequence[str],
        asked: tuple[int, int] | None,
        now: datetime | None,
    ) -> None:
        self.words = list(words)
        self.now = now
        # Also where nobody knows the time, "at five" is no five of anything.
        self.clock = clock_time(words, now or _SOME_DAY)
        self.free = [True] * len(self.words)
        self.after = 0
        if asked is not None:
            self.use(*asked)
            self.after = asked[1]

    def use(self, start: int, end: int) -> None:
        self.free[start:end] = [False] * (end - start)

    def rest(self) -> list[str]:
        return [word for word, free in zip(self.words, self.free, strict=True) if free]


def fill(
    tool: Tool,
    words: Sequence[str],
    asked: tuple[int, int] | None,
    now: datetime | None = None,
) -> Arguments:
    """Fills a tool's parameters from a sentence.

    Args:
        tool: The tool.
        words: The sentence, normalised.
        asked: First word, and past the last, of a phrase that asks for this tool: "remind me".
        now: The time, for what is to be done at a time of day; None if it is not known.
    """
    sentence = _Sentence(words, asked, now)
    values = {**_reason(tool, sentence), **_clock_parts(tool, sentence)}
    by_kind = sorted(tool.parameters, key=_order)
    for parameter in by_kind:
        value = None
        if parameter.name in values:
            continue
        if parameter.choices:
            value = _choice(parameter, sentence)
        elif parameter.kind in ("integer", "number"):
            value = _number(parameter, sentence)
        elif parameter.kind == "boolean":
            value = _boolean(parameter, sentence)
        elif parameter.kind == "string":
            value = _identifier(parameter, sentence) or _named_time(parameter, sentence)
        if value is not None:
            values[parameter.name] = value
    strings = [p for p in by_kind if p.is_text and p.name not in values]
    about = _texts(tool, strings, sentence, values)
    several = _drop_several(tool, sentence, values)
    boxes = tuple(p for p in tool.parameters if p.is_box)
    if not about and boxes:
        about = _remainder(tool, sentence)
    missing = tuple(
        p for p in tool.parameters if p.required and p.name not in values and not p.is_box
    )
    return Arguments(values, missing, boxes, about, tuple(sentence.rest()), several)


def _drop_several(tool: Tool, sentence: _Sentence, values: dict[str, Any]) -> bool:
    """Takes out a text that names a second amount, and the number that belongs to a part of it."""
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


def amount_and_thing(words: Sequence[str]) -> tuple[float, str] | None:
    """A number and what stands after it: "two bottles of milk"; None if there is no number."""
    found = number_at(words, 0) if words else None
    if found is None and words[:1] in (["a"], ["an"]):
        found = 1.0, 1
    text = _text(words[found[1] :]) if found else ""
    return (found[0], text) if found and text else None


def time_answer(tool: Tool, answer: str, now: datetime | None) -> tuple[Parameter, Any] | None:
    """The duration of a tool that an answer gives if it is nothing but a time."""
    words = normalise(answer).split()
    for parameter in tool.parameters:
        if not is_duration(parameter):
            continue
        sentence = _Sentence(words, None, now)
        value = _number(parameter, sentence)
        if value is not None and not set(sentence.rest()) - {"please", "then", "no", "make", "it"}:
            return parameter, value
    return None


def one_value(
    parameter: Parameter, answer: str, now: datetime | None = None, *, of: Tool | None = None
) -> Any:
    """The value that an answer to "which …?" gives; None if it gives none.

    Args:
        parameter: What was asked for.
        answer: What was said.
        now: The time, if it is known.
        of: The tool; of one that takes no sentences, only an answer that names something is taken.
    """
    words = normalise(answer).split()
    if of is not None and parameter.is_text and not takes_sentences(of, parameter):
        words = without_lead(parameter, " ".join(words)).split()
        named = parameter.kind == "array" or looks_like_value(words)
        if not named or not says_something(parameter, " ".join(words)):
            return None
    sentence = _Sentence(words, None, now)
    if parameter.choices:
        return _choice(parameter, sentence)
    if parameter.kind in ("integer", "number"):
        found = _number(parameter, sentence)
        plain = [
            number
            for at in range(len(words))
            if sentence.clock is None and (number := number_at(words, at))
        ]
        # Asked for a number of seconds, "five" is five seconds.
        return found if found is not None or not plain else _cast(parameter, plain[0][0])
    if parameter.kind == "boolean":
        return True if _YES & set(words) else False if _NO & set(words) else None
    if parameter.kind == "string":
        if words[:1] and words[0] in _QUESTION:
            return None
        return _identifier(parameter, sentence) or _text(words) or None
    return _parts(_text(words)) if parameter.is_text else None


def _order(parameter: Parameter) -> tuple[int, bool]:
    kinds = {"integer": 1, "number": 1, "boolean": 3}
    rank = 0 if is_duration(parameter) else 2 if parameter.choices else kinds.get(parameter.kind, 4)
    return rank, not parameter.required


def is_duration(parameter: Parameter) -> bool:
    """Whether it is a number of seconds, minutes or hours."""
    return parameter.kind in ("integer", "number") and _unit(parameter) is not None


def _unit(parameter: Parameter) -> int | None:
    """Seconds that one of the parameter's unit has, if it is a time."""
    for text in (parameter.words, normalise(parameter.description).split()):
        for word in text:
            if word in ("ms", "milliseconds"):
                return 0
            if word in ("s", "sec", "secs"):
                return 1
            if seconds := SECONDS.get(word.removesuffix("s")):
                return seconds
    return None


def seconds_of(parameter: Parameter, value: float) -> float | None:
    """What a value of a duration is in seconds; None for what is no duration."""
    unit = _unit(parameter) if is_duration(parameter) else None
    return None if unit is None else value * unit if unit else value / 1000


def _number(parameter: Parameter, sentence: _Sentence) -> float | int | None:
    unit = _unit(parameter)
    if unit is not None:
        for seconds, start, end in durations(sentence.words):
            if all(sentence.free[start:end]):
                sentence.use(start, end)
                return _cast(parameter, seconds / unit if unit else seconds * 1000)
        clock = sentence.clock
        if clock is None or not all(sentence.free[clock.start : clock.end]):
            return None
        sentence.use(clock.start, clock.end)
        if sentence.now is None:
            return None
        wait_s = (clock.at - sentence.now).total_seconds()
        return _cast(parameter, max(1.0, round(wait_s / unit if unit else wait_s * 1000)))
    times = [(start, end) for _, start, end in durations(sentence.words)]
    if clock := sentence.clock:
        times.append((clock.start, clock.end))
    found = [
        (at, number)
        for at in range(len(sentence.words))
        if (number := number_at(sentence.words, at)) and all(sentence.free[at : at + number[1]])
    ]
    # "set the volume at five": only where no other number is said.
    apart = [one for one in found if not any(start <= one[0] < end for start, end in times)]
    in_clock = [one for one in found if clock and clock.start <= one[0] < clock.end]
    if not apart and len(in_clock) == 1 and clock and clock.end - clock.start == 2:
        apart = in_clock
    if not apart:
        return None
    at, number = apart[0]
    sentence.use(at, at + number[1])
    return _cast(parameter, number[0])


def _clock_parts(tool: Tool, sentence: _Sentence) -> dict[str, Any]:
    """A time of day for a tool that takes its hour and its minute."""
    named = {
        word: p for p in tool.parameters for word in p.words if p.kind in ("integer", "number")
    }
    hour, minute, clock = named.get("hour"), named.get("minute"), sentence.clock
    if clock is None or hour is None or minute is None:
        return {}
    sentence.use(clock.start, clock.end)
    return {hour.name: clock.at.hour, minute.name: clock.at.minute}


def _named_time(parameter: Parameter, sentence: _Sentence) -> str | None:
    """The words of a time of day, for a text that is one: "5 pm"."""
    clock = sentence.clock
    if clock is None or not _TIMES & set(parameter.words):
        return None
    sentence.use(clock.start, clock.end)
    return _text(sentence.words[clock.start : clock.end])


def _identifier(parameter: Parameter, sentence: _Sentence) -> str | None:
    """What is written in digits, for a text that names something by a number: "order number 77"."""
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


def _from_number(words: Sequence[str], at: int) -> int:
    """Where "number 77" begins, if 77 stands at ``at``."""
    return at - 1 if at and words[at - 1] in _NUMBERS else at


def _reason(tool: Tool, sentence: _Sentence) -> dict[str, Any]:
    """What stands after "because": a reason if the tool takes one, and no other argument."""
    at = next((at for at, word in enumerate(sentence.words) if word in ("because", "since")), None)
    if at is None:
        return {}
    text = _text(sentence.words[at + 1 :])
    sentence.use(at, len(sentence.words))
    taken = next((p for p in tool.parameters if p.is_text and _REASONS & set(p.words)), None)
    return {taken.name: text} if taken and text else {}


def _cast(parameter: Parameter, value: float) -> float | int:
    return round(value) if parameter.kind == "integer" or value == int(value) else value


def _choice(parameter: Parameter, sentence: _Sentence) -> Any:
    """The listed value that is named; the one of which most words are, then the first named."""
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
    # "in the kitchen": the small words before it go with it.
    start = at = min(places)
    while at > sentence.after and sentence.words[at - 1] in (*_BEFORE_TEXT, "the", "a", "an"):
        at -= 1
    apart = any(word in _BEFORE_TEXT for word in sentence.words[at:start])
    if parameter.required or apart:
        sentence.use(at, start)
        for place in places:
            sentence.use(place, place + 1)
    # Else it is told twice: "a face appears" is what is watched for, and its kind is "face".
    return chosen


def _boolean(parameter: Parameter, sentence: _Sentence) -> bool | None:
    said = set(sentence.words)
    own = set(parameter.words)
    if own & _STATES:
        if said & _YES and not said & _NO:
            return True
        if said & _NO and not said & _YES:
            return False
        return None
    wanted = {stem(word) for word in own if word not in LITTLE}
    hits = [at for at, word in enumerate(sentence.words) if stem(word) in wanted]
    if not hits or len({stem(sentence.words[at]) for at in hits}) < len(wanted):
        return None
    before = sentence.words[max(0, hits[0] - 2) : hits[0]]
    return not ({"not", "no", "without", "never"} & set(before))


def _texts(
    tool: Tool, strings: list[Parameter], sentence: _Sentence, values: dict[str, Any]
) -> str:
    """Fills the text parameters; what the first one got is what the request is about."""
    about = ""
    keyed = [p for p in strings if _keyword(p, sentence) is not None and len(strings) > 1]
    for parameter in sorted(keyed, key=lambda p: -(_keyword(p, sentence) or 0)):
        at = _keyword(parameter, sentence)
        if at is None or not sentence.free[at]:
            continue
        end = at + 1
        while end < len(sentence.words) and sentence.free[end]:
            end += 1
        text = _text(sentence.words[at + 1 : end])
        if text:
            values[parameter.name] = about = text
            sentence.use(at, end)
    left = [p for p in strings if p.name not in values and p.required]
    texts = [p for p in tool.parameters if p.is_text]
    if not left and len(texts) == len(strings) == 1 and strings[0].name not in values:
        left = strings  # the only text a tool takes is what the request is about
    if len(left) == 1:
        about = _remainder(tool, sentence)
        if not takes_sentences(tool, left[0]):
            about = trimmed(left[0], without_lead(left[0], about))
            about = about if says_something(left[0], about) else ""
        if about:
            values[left[0].name] = _parts(about) if left[0].kind == "array" else about
    return about


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r" and ", text) if part]


def _keyword(parameter: Parameter, sentence: _Sentence) -> int | None:
    at = find_words(sentence.words, parameter.words)
    return None if at is None else at + len(parameter.words) - 1


def _remainder(tool: Tool, sentence: _Sentence) -> str:
    """The text after the words that ask for the tool; it is used up."""
    words, free = sentence.words, sentence.free
    start, end = sentence.after, _place_of_tool(tool, sentence)
    if not start:
        named = stems(split_name(tool.name)) | {stem(word) for word in split_name(tool.name)}
        own = named | stems(normalise(tool.description).split())
        for at, word in enumerate(words if end == len(words) else ()):
            if (
                at
                and free[at]
                and word in _BEFORE_TEXT
                and stems(words[:at]) & own
                and not _is_within_text(word, words[at - 1], own)
            ):
                start = at
                break
        else:
            # "play jazz": no such word, but the tool's own name comes first.
            while start < end and (
                words[start] in LITTLE | ASKING and stem(words[start]) not in named
            ):
                start += 1
            named_from = start
            while start < end and (words[start] in LITTLE or stem(words[start]) in named):
                if words[start] in _QUESTION and start > named_from:
                    break
                start += 1
            if start == named_from and end == len(words):
                return ""
            if end - start > _LONGEST_LOOSE:
                return ""
    taken = [at for at in range(start, end) if free[at]]
    text = _text([words[at] for at in taken])
    if text:
        for at in taken:
            sentence.use(at, at + 1)
        sentence.use(end, len(words))
    return text


def _is_within_text(word: str, before: str, own: frozenset[str]) -> bool:
    """Whether "of" belongs to what stands before it: "bottles of milk", but "the stock of"."""
    return word == "of" and before not in LITTLE | ASKING | FILLERS and stem(before) not in own


def _place_of_tool(tool: Tool, sentence: _Sentence) -> int:
    """Where the tool's own place begins at the end of a sentence: "… to my shopping list"."""
    words = sentence.words
    end = len(words)
    if sentence.after:
        return end
    own = stems(split_name(tool.name)) | stems(normalise(tool.purpose).split())
    at = end - (words[-1:] == ["please"])
    first = at
    while at and words[at - 1] not in LITTLE and stem(words[at - 1]) in own:
        at -= 1
    if at == first:
        return end
    while at and words[at - 1] in _DETERMINERS:
        at -= 1
    return at - 1 if at > 1 and words[at - 1] in _AT_A_PLACE else end


def _text(words: Sequence[str]) -> str:
    kept = list(words)
    while kept and kept[0] in _LEADING:
        kept.pop(0)
    while kept and kept[-1] in _TRAILING:
        kept.pop()
    return " ".join(kept)
