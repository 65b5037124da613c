"""A case of a suite made from a recorded call, as YAML for a person to edit. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vision_agent.caller.cut import clock
from vision_agent.evaluation.words import words_of
from vision_agent.recordings.lines import (
    ErrorLine,
    HeaderLine,
    InterruptedLine,
    Line,
    SentLine,
    SpokenLine,
    ToolCallLine,
    TurnLine,
)
from vision_agent.terminal import one_line

_LONGEST_PHRASE = 160
_MOST_OF_A_KIND = 20
_STEP_MS = 500
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[\u3002\uff01\uff1f])")


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """A case made from a cut of a recorded call.

    Attributes:
        name: The case's name.
        replay: The recorded call, relative to the suite.
        begin_s: The beginning of the cut; None: that of the call.
        end_s: The end of the cut; None: that of the call.
        header: The header of the recording.
        lines: The lines of the cut.
        after: The lines of the call after the cut.
        agent: The agent to call, as a suite names it; None: that of the suite.
    """

    name: str
    replay: str
    begin_s: float | None
    end_s: float | None
    header: HeaderLine
    lines: Sequence[Line]
    after: Sequence[Line] = ()
    agent: str | None = None

    @property
    def not_expected(self) -> str | None:
        """Why the case does not expect all of the agent's words in the cut; None if it does."""
        following = (each for each in self.after if isinstance(each, SpokenLine))
        cut_off = next(following, None)
        if cut_off is not None and cut_off.who == "agent":
            time = clock(math.ceil(cut_off.at_ms / 100 + 1) / 10)
            why = f"What the agent says next ends after this part: --to {time} would hold it."
        elif any(self._said()):
            return None
        else:
            why = "The agent says nothing in this part."
        return why if any(self._said()) else f"{why} The case passes whatever the agent says."

    def text(self) -> str:
        """Return the case as an item of a list."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"- name: {_quoted(self.name)}"
        by = one_line(f"agent {self.header.agent}, model {self.header.model}")
        yield f"  replay: {_quoted(self.replay)}  # recorded {self.header.started or '?'}: {by}"
        if self.begin_s is not None:
            yield f"  from: {_quoted(clock(self.begin_s))}"
        if self.end_s is not None:
            yield f"  to: {_quoted(clock(self.end_s))}"
        if self.agent is not None:
            yield f"  agents: [{_quoted(self.agent)}]"
        yield "  # What happened in that call. Keep what has to happen again, and shorten the"
        yield "  # sentences to the words that matter; `any` takes further wordings."
        yield "  expect:"
        for line in self._expected():
            yield f"    {line}"

    def _expected(self) -> Iterator[str]:
        yield from _first(self._heard())
        yield from _first(self._said())
        if self.not_expected is not None:
            yield f"# {self.not_expected}"
        yield from _first(self._tools())
        yield from _first(self._points())
        if any(isinstance(line, InterruptedLine) for line in self.lines):
            yield "- interrupted: true"
        replies = [
            line.reply_ms
            for line in self.lines
            if isinstance(line, TurnLine) and line.reply_ms is not None
        ]
        if replies:
            bound = max(2 * _STEP_MS, math.ceil(2 * max(replies) / _STEP_MS) * _STEP_MS)
            came = ", ".join(map(str, replies[:_MOST_OF_A_KIND]))
            yield f"- reply_ms: {{max: {bound}}}  # they were {came} ms"
        errors = [one_line(each.text) for each in self.lines if isinstance(each, ErrorLine)]
        if errors:
            yield f"# - no_errors: true  # there was one: {errors[0]}"
        else:
            yield "- no_errors: true"

    def _heard(self) -> Iterator[str]:
        for line in self.lines:
            if isinstance(line, SpokenLine) and line.who == "user" and words_of(line.text):
                # Typed lines are not transcribed, and a transcript of speech may differ.
                kind = "typed" if line.typed else "- heard"
                yield f"# {kind}: {_quoted(_phrase(line.text))}"

    def _said(self) -> Iterator[str]:
        for line in self.lines:
            if isinstance(line, SpokenLine) and line.who == "agent" and words_of(line.text):
                yield f"- said: {{any: [{_quoted(_phrase(line.text))}]}}"

    def _tools(self) -> Iterator[str]:
        for line in self.lines:
            if isinstance(line, ToolCallLine):
                arguments = ""
                if line.arguments and not _is_deep(line.arguments):
                    arguments = f", arguments: {_quoted(line.arguments)}"
                yield f"- tool: {{name: {_quoted(line.name)}{arguments}}}"

    def _points(self) -> Iterator[str]:
        for line in self.lines:
            data = line.message.get("data") if isinstance(line, SentLine) else None
            if not isinstance(data, dict) or data.get("kind") != "point":
                continue
            label, box = data.get("label"), data.get("box_2d")
            if isinstance(label, str) and words_of(label):
                where = (
                    f"  # box: {_quoted(box)}"
                    if isinstance(box, list) and not _is_deep(box)
                    else ""
                )
                yield f"- pointed: {{label: {_quoted(label)}}}{where}"


def _first(lines: Iterator[str]) -> Iterator[str]:
    """The lines without repetitions, and no more than a person edits."""
    different = list(dict.fromkeys(lines))
    yield from different[:_MOST_OF_A_KIND]
    if len(different) > _MOST_OF_A_KIND:
        yield f"# and {len(different) - _MOST_OF_A_KIND} more"


def _phrase(text: str) -> str:
    """A line, or the first sentence of a long one."""
    text = one_line(text)
    if len(text) <= _LONGEST_PHRASE:
        return text
    first = _SENTENCE_END.split(text, maxsplit=1)[0]
    return first if len(first) <= _LONGEST_PHRASE else first[:_LONGEST_PHRASE].rsplit(" ", 1)[0]


def _is_deep(value: Any, levels: int = 20) -> bool:
    """Whether a value is nested more deeply than a person writes."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)


def _quoted(value: Any) -> str:
    """A value as YAML: JSON on one line."""
    return one_line(json.dumps(value, ensure_ascii=False, default=str))
