"""A call as text for a model that judges it. Pure.

The words of the caller and the agent are data. Each of their lines begins with a bar and stands
between two marks that the words can't imitate, so that no words look like a part of the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from vision_agent.replay.report import Report
from vision_agent.terminal import one_line

_BEGIN, _END = "<record>", "</record>"
_MARK = re.compile(r"<\s*(/?)\s*record\s*>", re.I)
_LONGEST_LINE = 2000
_LONGEST_VALUE = 500
LONGEST_RECORD = 24_000
"""Characters of the whole record. A longer one loses its middle, and a line says so."""


def call_record(report: Report) -> str:
    """The record of a call: words, tool calls, points and errors, with their times."""
    entries = sorted(_entries(report), key=lambda entry: entry[0])
    lines = [f"{at_ms / 1000:.1f} s {words}" for at_ms, words in entries]
    lines += [f"error: {error}" for error in report.errors[:20]]
    lines.append(f"The call ended: {report.ended}")
    if not (report.transcript or any(said.typed is not None for said in report.utterances)):
        lines.insert(0, "Nothing was said.")
    shown = _bounded([f"| {_data(line)}" for line in lines])
    return "\n".join([_BEGIN, *shown, _END])


def pictures_in_words(taken_ms: Sequence[int], given: int, shown: int) -> str:
    """A sentence about the frames that come with the question.

    Args:
        taken_ms: When the agent's model was given the frames that are shown, in ms of the call.
        given: How many frames the agent's model was given.
        shown: How many of them the judge is shown.
    """
    if not given:
        return "The agent was shown no pictures."
    if not shown:
        return f"The agent was shown {given} pictures of the camera; they can't be shown to you."
    times = ", ".join(f"{at_ms / 1000:.0f} s" for at_ms in taken_ms)
    some = f"{shown} of the {given} pictures" if shown < given else f"the {given} pictures"
    return f"With this message come {some} that the agent was shown, from about {times}."


def _entries(report: Report) -> Iterator[tuple[int, str]]:
    for line in report.transcript:
        who = "caller" if line.who == "user" else "agent"
        name = f" ({line.agent})" if line.who == "agent" and line.agent else ""
        yield line.at_ms, f"{who}{name}: {line.text}"
    for said in report.utterances:
        if said.typed is not None:
            yield said.started_at_ms, f"caller types: {said.typed}"
    for call in report.tool_calls:
        result = "cancelled" if call.cancelled else _value(call.result)
        yield call.at_ms, f"tool {call.name} {_value(call.arguments)} gave {result}"
    for point in report.points:
        yield point.at_ms, f"agent points at {point.label}, [ymin, xmin, ymax, xmax] {point.box_2d}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _data(text: str) -> str:
    line = _MARK.sub(r"(\1record)", one_line(text))
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _bounded(lines: list[str]) -> list[str]:
    """The lines; of too many, those in the middle are left out."""
    if sum(map(len, lines)) <= LONGEST_RECORD:
        return lines
    first, last = _fitting(lines), _fitting(lines[::-1])[::-1]
    left_out = len(lines) - len(first) - len(last)
    return [*first, f"({left_out} lines are left out here.)", *last]


def _fitting(lines: Sequence[str]) -> list[str]:
    fitting, length = [], 0
    for line in lines:
        length += len(line)
        if length > LONGEST_RECORD // 2:
            break
        fitting.append(line)
    return fitting
