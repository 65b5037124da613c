"""Reports of calls that were never made, for the tests of expectations and results."""

from typing import Any

from vision_agent.caller.transcript import Point, ToolCallRecord, TranscriptLine
from vision_agent.replay.report import Report, Utterance


def utterance(
    turn: int,
    start_ms: int,
    end_ms: int,
    reply_ms: int | None = 500,
    silenced_ms: int | None = None,
) -> Utterance:
    return Utterance(start_ms, end_ms, reply_ms, silenced_ms, turn)


def tool(name: str, at_ms: int, cancelled: bool = False, **arguments: Any) -> ToolCallRecord:
    return ToolCallRecord(name, arguments, at_ms, at_ms + 10, {}, cancelled)


def report_of(
    *lines: tuple[str, int, str],
    utterances: tuple[Utterance, ...] = (),
    tools: tuple[ToolCallRecord, ...] = (),
    points: tuple[Point, ...] = (),
    **more: Any,
) -> Report:
    """A report of lines (who, ms, text); answered, unless `more` says otherwise."""
    return Report(
        **{
            "connected_ms": 10,
            "answered": True,
            "ended": "answered",
            "transcript": [TranscriptLine(who, text, at_ms) for who, at_ms, text in lines],
            "utterances": list(utterances),
            "tool_calls": list(tools),
            "points": list(points),
            **more,
        }
    )
