"""Checks that events happened one after another. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from vision_agent.caller.transcript import TranscriptLine
from vision_agent.evaluation.expected import Happening, InTurn, WordsExpected
from vision_agent.evaluation.in_words import pointed_in_words, said_in_words, tool_in_words
from vision_agent.evaluation.matching import fits_point, fits_tool
from vision_agent.evaluation.outcome import CaseVerdict
from vision_agent.evaluation.turns import CallTurns
from vision_agent.evaluation.words import find_phrase, words_of
from vision_agent.replay.report import Report


def in_order(order: Sequence[Happening], report: Report, turns: CallTurns) -> CaseVerdict:
    """Return whether all events happened, each after the one before.

    The transcript has only the time at which a line began. So a line that began before a tool call
    of the same turn may hold words that followed the call.
    """
    names = [_in_words(each) for each in order]
    expectation = f"in order: {'; '.join(names)}"
    walk = _Walk(report, turns)
    for number, happening in enumerate(order):
        if not walk.takes(happening):
            before = f" after “{names[number - 1]}”" if number else ""
            return CaseVerdict(expectation, False, f"Did not happen{before}: {names[number]}.")
    return CaseVerdict(expectation, True, "In this order.")


def _in_words(happening: Happening) -> str:
    if happening.tool is not None:
        return tool_in_words(happening.tool)
    if happening.pointed is not None:
        return pointed_in_words(happening.pointed)
    if happening.said is not None:
        return said_in_words(happening.said, "agent")
    assert happening.heard is not None
    return said_in_words(happening.heard, "user")


class _Walk:
    """A walk through the events of a call, forwards only."""

    def __init__(self, report: Report, turns: CallTurns) -> None:
        self._report, self._turns = report, turns
        self._at_ms = -math.inf
        # The first word of each line that has not been passed yet, by the line's index.
        self._passed: dict[int, int] = {}
        self._taken: set[int] = set()

    def takes(self, happening: Happening) -> bool:
        """Go to the next event that matches; false if there is none."""
        if happening.said is not None:
            return self._takes_words(happening.said, "agent")
        if happening.heard is not None:
            return self._takes_words(happening.heard, "user")
        if happening.tool is not None:
            tool = happening.tool
            fitting = (c for c in self._report.tool_calls if fits_tool(tool, c))
            return self._takes_event(tool, ((call.at_ms, id(call)) for call in fitting))
        assert happening.pointed is not None
        pointed = happening.pointed
        points = (point for point in self._report.points if fits_point(pointed, point))
        return self._takes_event(pointed, ((point.at_ms, id(point)) for point in points))

    def _takes_event(self, part: InTurn, events: Iterator[tuple[int, int]]) -> bool:
        begin_ms, end_ms = self._turns.window(part.turn)
        for at_ms, event in sorted(events):
            is_later = at_ms >= self._at_ms and event not in self._taken
            if is_later and begin_ms <= at_ms < end_ms:
                self._at_ms = at_ms
                self._taken.add(event)
                return True
        return False

    def _takes_words(self, said: WordsExpected, who: str) -> bool:
        begin_ms, end_ms = self._turns.window(said.turn)
        lines = self._report.transcript
        for index, line in enumerate(lines):
            if line.who != who or not begin_ms <= line.at_ms < end_ms:
                continue
            following = lines[index + 1].at_ms if index + 1 < len(lines) else math.inf
            if min(following, self._turns.next_after(line.at_ms)) < self._at_ms:
                continue
            end = _end_of(said, line, self._passed.get(index, 0))
            if end is not None:
                self._at_ms = max(self._at_ms, line.at_ms)
                self._passed |= dict.fromkeys(range(index), 10**9) | {index: end}
                return True
        return False


def _end_of(said: WordsExpected, line: TranscriptLine, begin: int) -> int | None:
    """Return the index of the word after the expected words; None if a line lacks some of them."""
    words = words_of(line.text)
    ends = [find_phrase(phrase, words, begin) for phrase in said.words]
    if said.any:
        found = [end for one in said.any if (end := find_phrase(one, words, begin)) is not None]
        ends.append(min(found, default=None))
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None
