"""Times of day in words: "half past six", "at 5 pm", "tomorrow morning". Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vision_agent.local.engine.language.spoken_numbers import SECONDS, number_at

_BEFORE = ("at", "by", "until", "till", "before", "around", "about", "for", "from", "on", "this")
_DAY_PARTS = {"morning": (9, False), "afternoon": (15, True), "evening": (19, True)}
"""The hour that stands for a part of the day, and whether hours up to twelve are p.m. in it."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A named time of day.

    Attributes:
        at: The next time that it is.
        start: The index of its first word, including a word like "at".
        end: The index after its last word.
    """

    at: datetime
    start: int
    end: int


def clock_time(words: Sequence[str], now: datetime) -> ClockTime | None:
    """The first time of day in a sentence, with its day where one is named; None if there is none.

    Without "am", "pm" or a part of the day, an hour up to twelve is the next time at which a clock
    shows it.

    Args:
        words: Normalised words.
        now: The time now, where the caller is.
    """
    for at in range(len(words)):
        found = _Reading(words, now).read(at)
        if found is not None:
            return found
    return None


class _Reading:
    """Reads a time from one place on: an hour, a part of the day and a day, in any order."""

    def __init__(self, words: Sequence[str], now: datetime) -> None:
        self._words = words
        self._now = now
        self._hour: tuple[int, int] | None = None
        self._half = ""
        self._part: str | None = None
        self._days: int | None = None

    def read(self, start: int) -> ClockTime | None:
        at = start
        named = self._words[at] in _BEFORE
        while at < len(self._words):
            skip = at
            while skip < len(self._words) and self._words[skip] in (*_BEFORE, "in", "the"):
                skip += 1
            end = self._piece(skip, after_at=skip > at and self._words[skip - 1] in ("at", "by"))
            if end is None:
                break
            at = end
        if at == start or (named and at == start + 1):
            return None
        when = self._when()
        return ClockTime(when, start, at) if when else None

    def _piece(self, at: int, *, after_at: bool) -> int | None:
        """Reads one of the three parts; returns the index after its last word."""
        if at >= len(self._words):
            return None
        word = self._words[at]
        following = self._words[at + 1] if at + 1 < len(self._words) else ""
        if self._days is None and word in ("today", "tomorrow", "tonight"):
            self._days = int(word == "tomorrow")
            self._part = "tonight" if word == "tonight" else self._part
            return at + 1
        if self._days is None and word in _WEEKDAYS:
            self._days = (_WEEKDAYS.index(word) - self._now.weekday()) % 7
            return at + 1
        if self._part is None and word in _DAY_PARTS:
            # "good morning" is no time; "tomorrow morning" and "in the morning" are.
            before = self._words[at - 1] if at else ""
            if before in ("the", "this", "tomorrow") or before in _WEEKDAYS or self._hour:
                self._part = word
                return at + 1
        if self._part is None and word == "night" and self._hour:
            self._part = "tonight"
            return at + 1
        if self._hour is None:
            found = self._clock(at, word, following, after_at=after_at)
            if found is not None:
                return self._half_of_day(found)
        return None

    def _clock(self, at: int, word: str, following: str, *, after_at: bool) -> int | None:
        if word in ("noon", "midday", "midnight"):
            self._hour, self._half = (0 if word == "midnight" else 12, 0), "24"
            return at + 1
        if word in ("half", "quarter") and following in ("past", "to", "after"):
            return self._past(at + 2, 30 if word == "half" else 15, following)
        found = number_at(self._words, at)
        if found is None:
            return None
        number, end = round(found[0]), at + found[1]
        rest = list(self._words[end : end + 3])
        if rest[:1] == ["minutes"] and rest[1:2] in (["past"], ["to"]):
            return self._past(end + 2, number, rest[1])
        if rest[:1] in (["past"], ["to"], ["after"]) and number < 60 and number % 5 == 0:
            past = self._past(end + 1, number, rest[0])
            if past is not None:
                return past
        if number > 24 or (rest and rest[0].removesuffix("s") in SECONDS):
            return None
        if rest[:1] in (["oclock"], ["am"], ["pm"]) or rest[:2] == ["o", "clock"]:
            self._hour = number % 24, 0
            return end + (rest[0] == "oclock") + 2 * (rest[0] == "o")
        minutes = number_at(self._words, end) if end < len(self._words) else None
        digits = word.isdigit() and end < len(self._words) and len(self._words[end]) == 2
        if minutes and minutes[0] < 60 and (digits or (after_at and minutes[0] >= 10)):
            self._hour = number % 24, round(minutes[0])
            return end + minutes[1]
        if len(rest) == 3 and rest[:2] == ["in", "the"] and rest[2] in _DAY_PARTS:
            self._hour = number % 24, 0
            return end
        part_follows = bool({"morning", "afternoon", "evening", "tonight", "tomorrow"} & set(rest))
        # "at five", but not "at five people": the hour ends the sentence or a day follows.
        ends = not rest or part_follows or rest[0] in ("today", "please", "to", "on")
        if (after_at and ends) or (self._days is not None and not rest):
            self._hour = number % 24, 0
            return end
        return None

    def _past(self, at: int, minutes: int, way: str) -> int | None:
        found = number_at(self._words, at) if at < len(self._words) else None
        if found is None or not 1 <= found[0] <= 24:
            return None
        hour = round(found[0])
        self._hour = ((hour - 1) % 24, 60 - minutes) if way == "to" else (hour % 24, minutes)
        return at + found[1]

    def _half_of_day(self, at: int) -> int:
        if list(self._words[at : at + 1]) == ["oclock"]:
            at += 1
        if at < len(self._words) and self._words[at] in ("am", "pm"):
            self._half, at = self._words[at], at + 1
        return at

    def _when(self) -> datetime | None:
        if self._hour is None:
            if self._part is None:
                return None
            # A part of the day alone.
            hour = 20 if self._part == "tonight" else _DAY_PARTS[self._part][0]
            return self._on_day(hour, 0)
        hour, minute = self._hour
        if self._half in ("am", "pm"):
            return self._on_day(hour % 12 + 12 * (self._half == "pm"), minute)
        if self._half == "24" or hour > 12 or (hour == 0):
            return self._on_day(hour, minute)
        if self._part is not None:
            late = self._part == "tonight" or _DAY_PARTS[self._part][1]
            return self._on_day(hour % 12 + 12 * (late and hour != 12), minute)
        if self._days:
            # "tomorrow at five" hardly means the small hours.
            return self._on_day(hour + 12 if hour < 6 else hour, minute)
        twice = [self._on_day(hour % 12, minute), self._on_day(hour % 12 + 12, minute)]
        return min(twice)

    def _on_day(self, hour: int, minute: int) -> datetime:
        at = self._now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        at += timedelta(days=self._days or 0)
        return at if at > self._now or self._days else at + timedelta(days=1)
