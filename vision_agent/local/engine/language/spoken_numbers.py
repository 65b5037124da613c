"""Numbers and durations in words: "twenty five", "half an hour", "2 minutes". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen"""
_ROUND = "twenty thirty forty fifty sixty seventy eighty ninety"

_ONES = {word: number for number, word in enumerate(_SMALL.split())}
_TENS = {word: 10 * number for number, word in enumerate(_ROUND.split(), 2)}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def number_at(words: Sequence[str], at: int) -> tuple[float, int] | None:
    """The number that begins at a word, and the number of words it takes; None if there is none."""
    word = words[at]
    if re.fullmatch(r"\d+", word):
        return float(word), 1
    if word in _TENS:
        following = _ONES.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return (
            (float(_TENS[word] + following), 2) if 0 < following < 10 else (float(_TENS[word]), 1)
        )
    if word in _ONES:
        if at + 1 < len(words) and words[at + 1] == "hundred":
            return float(_ONES[word] * 100), 2
        return float(_ONES[word]), 1
    if word == "hundred":
        return 100.0, 1
    return None


def spoken_duration(seconds: float) -> str:
    """A duration in words, in the largest unit of which it is a multiple: 14400 → "four hours"."""
    units = ((3600, "hour"), (60, "minute"))
    unit, name = next((one for one in units if seconds and not seconds % one[0]), (1, "second"))
    amount = seconds / unit
    word = next((word for word, number in _ONES.items() if number == amount), f"{amount:g}")
    return f"{word} {name}{'' if amount == 1 else 's'}"


def durations(words: Sequence[str]) -> list[tuple[float, int, int]]:
    """The durations in a sentence: seconds, index of the first word, index after the last word.

    "one minute and thirty seconds" is one duration, and "in" or "for" before it belongs to it.
    """
    found: list[tuple[float, int, int]] = []
    at = 0
    while at < len(words):
        one = _duration_at(words, at)
        if one is None:
            at += 1
            continue
        seconds, end = one
        start = at
        if found and (found[-1][2] == at or (found[-1][2] == at - 1 and words[at - 1] == "and")):
            before = found.pop()
            seconds, start = seconds + before[0], before[1]
        elif at and words[at - 1] in ("in", "for", "after", "within"):
            start = at - 1
        found.append((seconds, start, end))
        at = end
    return found


def _duration_at(words: Sequence[str], at: int) -> tuple[float, int] | None:
    amount, used = 0.0, 0
    if words[at : at + 2] in (["half", "an"], ["half", "a"]):
        amount, used = 0.5, 2
    elif words[at] in ("a", "an"):
        amount, used = 1.0, 1
    elif found := number_at(words, at):
        amount, used = found
    if not used or at + used >= len(words):
        return None
    unit = SECONDS.get(words[at + used].removesuffix("s"))
    if unit is None:
        return None
    end = at + used + 1
    if words[end : end + 3] == ["and", "a", "half"]:
        amount, end = amount + 0.5, end + 3
    return amount * unit, end
