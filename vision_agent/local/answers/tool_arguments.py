"""Arguments for a tool, taken from the words that were said. Pure; nothing is made up.

Each word is used once: durations and numbers first, then listed values, then yes and no, and what
is left after the words that ask for the tool is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision_agent.local.answers.tool_schema import Parameter, Tool
from vision_agent.local.answers.tool_words import LITTLE, find_words, split_name, stem, stems
from vision_agent.local.language.intents import normalise
from vision_agent.local.language.spoken_numbers import SECONDS, durations, number_at

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
_LEADING = frozenset("to that about for at of on in if when the a an please is".split())  # noqa: SIM905
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
    """

    values: dict[str, Any]
    missing: tuple[Parameter, ...]
    boxes: tuple[Parameter, ...]
    about: str
    rest: tuple[str, ...]


class _Sentence:
    """Words, and which of them are used up."""

    def __init__(self, words: Sequence[str], asked: tuple[int, int] | None) -> None:
        self.words = list(words)
        self.free = [True] * len(self.words)
        self.after = 0
        if asked is not None:
            self.use(*asked)
            self.after = asked[1]

    def use(self, start: int, end: int) -> None:
        self.free[start:end] = [False] * (end - start)

    def rest(self) -> list[str]:
        return [word for word, free in zip(self.words, self.free, strict=True) if free]


def fill(tool: Tool, words: Sequence[str], asked: tuple[int, int] | None) -> Arguments:
    """Fills a tool's parameters from a sentence.

    Args:
        tool: The tool.
        words: The sentence, normalised.
        asked: First word, and past the last, of a phrase that asks for this tool: "remind me".
    """
    sentence = _Sentence(words, asked)
    values: dict[str, Any] = {}
    by_kind = sorted(tool.parameters, key=_order)
    for parameter in by_kind:
        value = None
        if parameter.choices:
            value = _choice(parameter, sentence)
        elif parameter.kind in ("integer", "number"):
            value = _number(parameter, sentence)
        elif parameter.kind == "boolean":
            value = _boolean(parameter, sentence)
        if value is not None:
            values[parameter.name] = value
    strings = [p for p in by_kind if p.kind == "string" and not p.choices]
    about = _texts(tool, strings, sentence, values)
    boxes = tuple(p for p in tool.parameters if p.is_box)
    if not about and boxes:
        about = _remainder(tool, sentence)
    missing = tuple(
        p for p in tool.parameters if p.required and p.name not in values and not p.is_box
    )
    return Arguments(values, missing, boxes, about, tuple(sentence.rest()))


def one_value(parameter: Parameter, answer: str) -> Any:
    """The value that an answer to "which …?" gives; None if it gives none."""
    words = normalise(answer).split()
    sentence = _Sentence(words, None)
    if parameter.choices:
        return _choice(parameter, sentence)
    if parameter.kind in ("integer", "number"):
        found = _number(parameter, sentence)
        plain = [number for at in range(len(words)) if (number := number_at(words, at))]
        # Asked for a number of seconds, "five" is five seconds.
        return found if found is not None or not plain else _cast(parameter, plain[0][0])
    if parameter.kind == "boolean":
        return True if _YES & set(words) else False if _NO & set(words) else None
    if parameter.kind == "string":
        return _text(words)
    return None


def _order(parameter: Parameter) -> tuple[int, bool]:
    unit = parameter.kind in ("integer", "number") and _unit(parameter) is not None
    kinds = {"integer": 1, "number": 1, "boolean": 3}
    rank = 0 if unit else 2 if parameter.choices else kinds.get(parameter.kind, 4)
    return rank, not parameter.required


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


def _number(parameter: Parameter, sentence: _Sentence) -> float | int | None:
    unit = _unit(parameter)
    if unit is not None:
        for seconds, start, end in durations(sentence.words):
            if all(sentence.free[start:end]):
                sentence.use(start, end)
                return _cast(parameter, seconds / unit if unit else seconds * 1000)
        return None
    times = [(start, end) for _, start, end in durations(sentence.words)]
    for at in range(len(sentence.words)):
        found = number_at(sentence.words, at)
        in_time = any(start <= at < end for start, end in times)
        if found and not in_time and all(sentence.free[at : at + found[1]]):
            sentence.use(at, at + found[1])
            return _cast(parameter, found[0])
    return None


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
    if not left and len(strings) == 1 and strings[0].name not in values:
        left = strings  # the only text a tool takes is what the request is about
    if len(left) == 1:
        about = _remainder(tool, sentence)
        if about:
            values[left[0].name] = about
    return about


def _keyword(parameter: Parameter, sentence: _Sentence) -> int | None:
    at = find_words(sentence.words, parameter.words)
    return None if at is None else at + len(parameter.words) - 1


def _remainder(tool: Tool, sentence: _Sentence) -> str:
    """The text after the words that ask for the tool; it is used up."""
    words, free = sentence.words, sentence.free
    start = sentence.after
    if not start:
        own = stems(split_name(tool.name)) | stems(normalise(tool.description).split())
        for at, word in enumerate(words):
            if at and free[at] and word in _BEFORE_TEXT and stems(words[:at]) & own:
                start = at
                break
        else:
            # "play jazz": no such word, but the tool's own name comes first.
            named = stems(split_name(tool.name)) | {stem(word) for word in split_name(tool.name)}
            while start < len(words) and (words[start] in LITTLE or stem(words[start]) in named):
                start += 1
            if not any(stem(word) in named for word in words[:start]):
                return ""
            if len(words) - start > _LONGEST_LOOSE:
                return ""
    taken = [at for at in range(start, len(words)) if free[at]]
    if sentence.after:
        # "in ten minutes, remind me": what stands before the asking is no text.
        taken = [at for at in taken if at >= sentence.after]
    text = _text([words[at] for at in taken])
    if text:
        for at in taken:
            sentence.use(at, at + 1)
    return text


def _text(words: Sequence[str]) -> str:
    kept = list(words)
    while kept and kept[0] in _LEADING:
        kept.pop(0)
    while kept and kept[-1] in ("please", "thanks", "now", "and", "to", "for", "is", "are"):
        kept.pop()
    return " ".join(kept)
