"""Makes one tool call of one that the service delivers twice. Pure.

The Live API has two places for a call: a `toolCall` message, and a part of `modelTurn`. Some
sessions were seen to get the same call, with the same id, in both (reported of mastra's client in
September 2026; not recorded). ADK runs it once for each.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from google.genai import types

MAX_CALLS = 100
"""Calls that are remembered: the second delivery follows the first one closely."""


@dataclass(slots=True)
class CallsOnce:
    """The tool calls on one connection."""

    _seen: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))

    def received(self, message: types.LiveServerMessage) -> None:
        """Take the next message of the model; its calls are changed in place.

        Calls in a `modelTurn` become a `toolCall`, and calls that came before are removed.
        """
        calls = list((message.tool_call.function_calls or []) if message.tool_call else [])
        content = message.server_content
        turn = content.model_turn if content else None
        if turn and turn.parts and content and not content.turn_complete:
            calls = [part.function_call for part in turn.parts if part.function_call] + calls
            turn.parts = [part for part in turn.parts if not part.function_call]
        if not calls:
            return
        new = [call for call in calls if not (call.id and call.id in self._seen)]
        self._seen.extend(call.id for call in new if call.id)
        message.tool_call = types.LiveServerToolCall(function_calls=new) if new else None
