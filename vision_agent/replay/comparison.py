"""Two calls with the same caller, side by side: a recorded one, and the one made again. Pure."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from vision_agent.recordings.lines import (
    EndedLine,
    ErrorLine,
    InterruptedLine,
    Line,
    SentLine,
    SpokenLine,
    ToolCallLine,
    TurnLine,
)
from vision_agent.replay.report import Report

_MOST_TURNS = 2_000
# The reasons of a call that ends normally: a replay hangs up after the last answer.
_AS_USUAL = frozenset({"answered", "the recording ended", "the caller hung up", ""})
# The first of these messages shows when words begin to arrive, and whose they are.
_BEGINS = {"user-transcription": "user", "bot-tts-text": "agent"}


@dataclass(slots=True)
class ComparedTurn:
    """The caller's words, and what happened until the caller spoke again."""

    caller: str = ""
    agent: str = ""
    tools: list[str] = field(default_factory=list)
    reply_ms: int | None = None


@dataclass(slots=True)
class ComparedCall:
    """The things of a call that are compared."""

    turns: list[ComparedTurn]
    interruptions: int
    errors: list[str]
    ended: str

    @classmethod
    def recorded(cls, lines: Sequence[Line]) -> ComparedCall:
        """Make it from the lines of a recorded call, or of a part of one."""
        return cls(
            _turns(_happened(lines)),
            sum(isinstance(line, InterruptedLine) for line in lines),
            [line.text for line in lines if isinstance(line, ErrorLine)],
            next((line.reason for line in lines if isinstance(line, EndedLine)), ""),
        )

    @classmethod
    def made(cls, report: Report) -> ComparedCall:
        """Make it from the report of a call."""
        happened: list[tuple[int, str, Any]] = [
            *((line.at_ms, line.who, line.text) for line in report.transcript),
            *((call.at_ms, "tool", _tool(call.name, call.arguments)) for call in report.tool_calls),
        ]
        heard = [
            (line.at_ms, line.text.strip()) for line in report.transcript if line.who == "user"
        ]
        following = [*(each.started_at_ms for each in report.utterances[1:]), math.inf]
        for said, next_ms in zip(report.utterances, following, strict=False):
            # Some servers repeat what was typed.
            if said.typed is not None and not any(
                said.started_at_ms <= at_ms < next_ms and text == said.typed.strip()
                for at_ms, text in heard
            ):
                happened.append((said.started_at_ms, "typed", said.typed))
            if said.reply_ms is not None:
                # The words that an answer answers are known when the answer begins, at the latest.
                happened.append((said.ended_at_ms + said.reply_ms + 1, "reply", said.reply_ms))
        return cls(_turns(happened), report.interruptions, list(report.errors), report.ended)


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One row of the comparison.

    Attributes:
        what: Its title, such as "Caller" or "Tools".
        first: The value in the recorded call.
        second: The value in the call made again.
        same: Whether the values are equal; None for times, which never are.
        turn: The turn, from 1; 0: the whole call.
    """

    what: str
    first: str
    second: str
    same: bool | None
    turn: int = 0


def compare(first: ComparedCall, second: ComparedCall) -> list[ComparedRow]:
    """Return both calls side by side: turn by turn, then as a whole.

    Turns with the same transcript of the caller are in the same row.
    """
    rows: list[ComparedRow] = []
    for number, (one, other) in enumerate(_pairs(first.turns, second.turns), start=1):
        rows += _of_turn(one, other, number)
    rows.append(ComparedRow("Median reply", _ms(_median(first)), _ms(_median(second)), None))
    cut_in, cut_in_again = first.interruptions, second.interruptions
    same = cut_in == cut_in_again
    rows.append(ComparedRow("Interruptions", str(cut_in), str(cut_in_again), same))
    same = first.ended == second.ended or {first.ended, second.ended} <= _AS_USUAL
    rows.append(ComparedRow("Ended", first.ended or "later", second.ended, same))
    if first.errors or second.errors:
        same = first.errors == second.errors
        rows.append(ComparedRow("Errors", "\n".join(first.errors), "\n".join(second.errors), same))
    return rows


def differences(rows: Sequence[ComparedRow]) -> int:
    """How many rows differ; times are not counted."""
    return sum(row.same is False for row in rows)


def as_json(rows: Sequence[ComparedRow]) -> dict[str, Any]:
    """Return the rows for the JSON of a report."""
    return {"differences": differences(rows), "rows": [asdict(row) for row in rows]}


def _of_turn(one: ComparedTurn, other: ComparedTurn, number: int) -> Iterator[ComparedRow]:
    for what, first, second in (
        ("Caller", one.caller, other.caller),
        ("Agent", one.agent, other.agent),
        ("Tools", "\n".join(one.tools), "\n".join(other.tools)),
    ):
        if first or second:
            same = one.tools == other.tools if what == "Tools" else _key(first) == _key(second)
            yield ComparedRow(what, first, second, same, number)
    if one.reply_ms is not None or other.reply_ms is not None:
        yield ComparedRow("Reply after", _ms(one.reply_ms), _ms(other.reply_ms), None, number)


def _happened(lines: Sequence[Line]) -> list[tuple[int, str, Any]]:
    """What was said and done in a recorded call, in the order in which it began.

    A transcript's line is written when it is complete. So an interrupted answer is recorded after
    the words that interrupted it.
    """
    happened: list[tuple[int, str, Any]] = []
    begun: dict[str, int] = {}
    answer_ms: int | None = None
    for line in lines:
        if isinstance(line, SentLine):
            if (who := _BEGINS.get(str(line.message.get("type")))) is not None:
                begun.setdefault(who, line.at_ms)
        elif isinstance(line, SpokenLine):
            at_ms = line.at_ms if line.typed else begun.pop(line.who, line.at_ms)
            answer_ms = at_ms if line.who == "agent" else answer_ms
            happened.append((at_ms, "typed" if line.typed else line.who, line.text))
        elif isinstance(line, ToolCallLine):
            happened.append((line.at_ms, "tool", _tool(line.name, line.arguments)))
        elif isinstance(line, TurnLine):
            # The line may come before or after the words of the answer.
            began_ms = begun.get("agent", line.at_ms if answer_ms is None else answer_ms)
            happened.append((began_ms, "reply", line.reply_ms))
            answer_ms = None
    return happened


def _turns(happened: list[tuple[int, str, Any]]) -> list[ComparedTurn]:
    """The turns of a call: each begins with a typed line, or with words that follow the agent's."""
    turns, is_typed = [ComparedTurn()], False
    for _, kind, what in sorted(happened, key=lambda each: each[0]):
        turn = turns[-1]
        if kind in ("user", "typed"):
            is_answered = turn.agent or turn.tools or turn.reply_ms is not None
            if is_answered or (turn.caller and (is_typed or kind == "typed")):
                if len(turns) == _MOST_TURNS:
                    break
                turns.append(turn := ComparedTurn())
            is_typed = kind == "typed"
            turn.caller = f"{turn.caller} {what}".strip()
        elif kind == "agent":
            turn.agent = f"{turn.agent} {what}".strip()
        elif kind == "tool":
            turn.tools.append(what)
        elif turn.reply_ms is None:
            turn.reply_ms = what
    return [turn for turn in turns if turn != ComparedTurn()]


def _pairs(
    first: Sequence[ComparedTurn], second: Sequence[ComparedTurn]
) -> Iterator[tuple[ComparedTurn, ComparedTurn]]:
    words, other_words = ([_key(turn.caller) for turn in turns] for turns in (first, second))
    matcher = SequenceMatcher(a=words, b=other_words, autojunk=False)
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        for one, other in zip_longest(first[start:end], second[other_start:other_end]):
            yield one or ComparedTurn(), other or ComparedTurn()


def _key(text: str) -> str:
    """A text in a form in which recognition and punctuation make no difference."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _tool(name: str, arguments: object) -> str:
    try:
        text = json.dumps(arguments, ensure_ascii=False, sort_keys=True, default=str)
    except RecursionError:
        text = "…"  # nested too deeply
    return f"{name} {'' if text in ('null', '{}') else text}".strip()


def _median(call: ComparedCall) -> int | None:
    replies = [turn.reply_ms for turn in call.turns if turn.reply_ms is not None]
    return round(statistics.median(replies)) if replies else None


def _ms(value: int | None) -> str:
    return "never" if value is None else f"{value} ms"
