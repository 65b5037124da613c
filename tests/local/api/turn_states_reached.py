"""Turn-taking brought into each state."""

from __future__ import annotations

from vision_agent.local.api.turn_actions import (
    Action,
    Scheduling,
    ToolResult,
    TurnComplete,
)
from vision_agent.local.api.turns import Turns
from vision_agent.local.contract import FunctionCall, Transcript

HELLO = Transcript("hello")
CALL = FunctionCall("c1", "get_time", {})
OTHER_CALL = FunctionCall("c2", "get_weather", {"city": "Graz"})
MORE_FOLLOWS = TurnComplete(more_follows=True)


def result(
    call: FunctionCall, scheduling: Scheduling = Scheduling.WHEN_IDLE, *, more: bool = False
) -> ToolResult:
    return ToolResult(call.id, call.name, {"result": "ok"}, scheduling, more)


def by_name(call: FunctionCall) -> ToolResult:
    return ToolResult("", call.name, {"result": "ok"})


def thinking(**options: bool) -> Turns:
    turns = Turns(**options)
    turns.typed("hello", 0)
    return turns


def speaking(**options: bool) -> Turns:
    turns = thinking(**options)
    turns.spoke(1, 1000, 0)
    return turns


def playing_out(**options: bool) -> Turns:
    turns = speaking(**options)
    turns.finished(1, 0)
    return turns


def waiting(**options: bool) -> Turns:
    turns = thinking(**options)
    turns.called(1, [CALL])
    return turns


def typed(text: str = "hello") -> Transcript:
    return Transcript(text, spoken=False)


def streamed(text: str) -> Transcript:
    return Transcript(text, spoken=False, streamed=True)


def kinds(actions: list[Action]) -> list[type]:
    return [type(action) for action in actions]
