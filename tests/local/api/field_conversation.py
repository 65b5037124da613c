"""Conversations in which each field of the table is sent."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import deque
from collections.abc import Iterable
from typing import Any

import websockets.asyncio.client as websocket_client
from websockets.exceptions import ConnectionClosed

from tests.local.live_clients import trusting
from tests.local.live_talk import LOUD, QUIET
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api.habits import LOCAL
from vision_agent.local.api.models import find_model
from vision_agent.local.api.schema_validation import snake_case
from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn
from vision_agent.local.server import serve

STUDIO = "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"
VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
SETUP = {
    "model": "models/local",
    "generationConfig": {"responseModalities": ["TEXT"]},
    "tools": [{"functionDeclarations": [{"name": "get_time"}]}],
}


def sound(pcm: bytes) -> dict[str, str]:
    data = base64.urlsafe_b64encode(pcm).decode()
    return {"mimeType": "audio/pcm;rate=16000", "data": data}


QUESTION = {"turns": [{"role": "user", "parts": [{"text": "a question"}]}], "turnComplete": True}
TIME = {"id": "THE CALL'S", "name": "get_time", "response": {"time": "noon"}}
AROUND: dict[str, Any] = {
    "clientContent": {"clientContent": QUESTION},
    "realtimeInput": {"realtimeInput": {}},
    "realtimeInput.audioStreamEnd": {"realtimeInput": {"audio": sound(LOUD * 10)}},
    "realtimeInput.activityEnd": {"realtimeInput": {"activityStart": {}}},
    "realtimeInput.video": {"realtimeInput": {"video": {"mimeType": "image/png", "data": "AAAA"}}},
    "toolResponse": {"toolResponse": {"functionResponses": [TIME]}},
    "toolResponse.functionResponses[].id": {
        "toolResponse": {"functionResponses": [{"response": {"time": "noon"}}]}
    },
    "toolResponse.functionResponses[].name": {
        "toolResponse": {"functionResponses": [{"response": {"time": "noon"}}]}
    },
    "toolResponse.functionResponses[].parts[].inlineData.": {
        "toolResponse": {
            "functionResponses": [
                {**TIME, "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}
            ]
        }
    },
    "contextUpdate": {"contextUpdate": {}},
}
"""The message in which a field is placed, by the longest matching beginning of its path."""


def snake(value: Any) -> Any:
    """A message with all of its names in snake_case."""
    if isinstance(value, dict):
        return {snake_case(name): snake(held) for name, held in value.items()}
    return [snake(held) for held in value] if isinstance(value, list) else value


PLAYED_S = 0.05
"""How long an answer's sound is played before the caller cuts in."""


class Conversation:
    """One conversation over a raw socket, and everything observable of it."""

    def __init__(self, *, snake_names: bool = False) -> None:
        self.engine = ScriptedEngine()
        self.engine.answers = self.answer
        self.engine.hears = deque([Transcript("good morning", True)] * 4)
        self.may_go_on = asyncio.Event()
        self.told: list[dict[str, Any]] = []
        self.ended: tuple[int, str] | None = None
        self._keeps_open = False
        self._filler = ""
        self._snake = snake_names

    def answer(self, turn: Turn) -> Iterable[Any]:
        if turn.tool_results:
            return [Say("It is noon.")]
        if turn.text == "wait":
            return [Say("Wait."), self.may_go_on.wait, Say("Go on.")]
        if turn.text == "nothing":
            return []
        return [ToolRequest("get_time")] if "time" in turn.text else [Say("Yes.")]

    async def hold(self, setup: dict[str, Any], message: dict[str, Any] | None = None) -> Any:
        """Hold a conversation: hello, cut in, ask for a tool, send ``message``, goodbye.

        Returns:
            Everything that was observed.
        """
        server = await serve("127.0.0.1", 0, self.engine)
        vertex = str(setup.get("model", "")).startswith("publishers/")
        model = find_model(str(setup.get("model", "")), vertex=vertex)
        # With some models, the turn that calls a tool stays open for the result.
        waited = model is not None and not model.calls_in_background("")
        habits = model.habits_on(vertex=vertex) if model is not None else LOCAL
        self._keeps_open = waited and not habits.tool_call_ends_turn
        self._filler = habits.filler
        uri = f"wss://127.0.0.1:{server.port}{VERTEX if vertex else STUDIO}"
        headers = {"x-goog-api-key": "any"}
        try:
            async with websocket_client.connect(
                uri, ssl=trusting(server), additional_headers=headers
            ) as self._socket:
                reading = asyncio.create_task(self._read())
                try:
                    await self._talk({"setup": setup}, message)
                finally:
                    await self._socket.close()
                    await reading
        finally:
            await server.close()
        return self._seen()

    async def _talk(self, setup: dict[str, Any], message: dict[str, Any] | None) -> None:
        response = message if message and "toolResponse" in message else AROUND["toolResponse"]
        try:
            await self._send(setup)
            await self._send({"realtimeInput": {"video": {"mimeType": "image/jpeg", "data": "AA"}}})
            await self._ask("wait", quietly=False)
            # The history keeps only the played part of an interrupted answer.
            await asyncio.sleep(PLAYED_S)
            await self._send({"realtimeInput": {"text": "hello"}})
            await self._spin()
            self.may_go_on.set()
            await self._quiet()
            for pcm in (LOUD * 10, QUIET * 10, QUIET * 60):
                await self._send({"realtimeInput": {"audio": sound(pcm)}})
            await self._quiet()
            await self._ask("what time is it")
            await self._send(json.loads(json.dumps(response).replace("THE CALL'S", self._call())))
            await self._quiet()
            if message and "toolResponse" not in message:
                await self._send(message)
                await self._quiet()
            # Only input in the stream sees the stream's frames.
            await self._send({"realtimeInput": {"text": "and now"}})
            await self._quiet()
            await self._ask("nothing")
            await self._ask("goodbye")
        except ConnectionClosed:
            pass

    async def _ask(self, text: str, *, quietly: bool = True) -> None:
        turn = {"role": "user", "parts": [{"text": text}]}
        await self._send({"clientContent": {"turns": [turn], "turnComplete": True}})
        if quietly:
            await self._quiet()
        else:
            await self._spin()

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(snake(message) if self._snake else message))

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                self.told.append(json.loads(raw))
        except ConnectionClosed:
            pass
        self.ended = self._socket.close_code, self._socket.close_reason

    async def _quiet(self) -> None:
        """Wait until everything that was sent is handled, and every turn is over."""
        while True:
            seen = len(self.told)
            await self._spin()
            turns_over = sum("turnComplete" in m.get("serverContent", {}) for m in self.told)
            busy = self.engine.open_answers or turns_over < self._turns_due()
            if len(self.told) == seen and (not busy or self.ended):
                return
            await asyncio.sleep(0.1)

    def _turns_due(self) -> int:
        """How many turns are complete once the model has nothing more to say."""
        turns = self.engine.turns
        if not self._keeps_open:
            # A filler is a turn of its own, which the engine does not answer.
            return len(turns) + sum(text == self._filler for text, *_ in self.engine.spoken)
        waits = bool(turns) and not turns[-1].tool_results and "time" in turns[-1].text
        return sum(not turn.tool_results for turn in turns) - waits

    async def _spin(self) -> None:
        # Client and server share this loop: a message arrives before virtual time moves on.
        for _ in range(3):
            await asyncio.sleep(0.001)

    def _call(self) -> str:
        calls = [call for m in self.told for call in m.get("toolCall", {}).get("functionCalls", [])]
        return str(calls[-1]["id"]) if calls else "none"

    def _seen(self) -> Any:
        turns = [
            {
                "text": turn.text,
                "frames": [frame.jpeg for frame in turn.frames],
                "history": turn.history,
                # The fields of a declaration that the engine reads.
                "tools": [
                    {name: tool.get(name) for name in READ_OF_TOOLS if name in tool}
                    for tool in map(snake, turn.tools)
                ],
                "results": [result["response"] for result in turn.tool_results],
                "instruction": turn.instruction,
                "manner": (turn.language_code, turn.proactive, turn.user),
            }
            for turn in self.engine.turns
        ]
        return {
            "told": anonymous(self.told),
            "turns": turns,
            "heard": (self.engine.fed_bytes, self.engine.ears_asked, self.engine.activities),
            "spoken": self.engine.spoken,
            "ended": self.ended,
        }


READ_OF_TOOLS = ("name", "description", "parameters", "parameters_json_schema")
SOUND = re.compile(r'(?<="data": ")[^"]+')
VOICE = "the engine's voice"


def whose(sound: re.Match[str]) -> str:
    """Replace sound by a mark if it is the engine's, a tone of ascending bytes.

    A translator sends the caller's own sound, which is kept.
    """
    first, second, *_ = base64.b64decode(sound[0])
    return VOICE if second == (first + 1) % 256 else sound[0]


def anonymous(told: list[dict[str, Any]]) -> list[Any]:
    """The messages without what varies between runs: identifiers, and the number of pieces.

    Between two pieces of sound some models send an empty message.
    """
    kept: list[Any] = []
    for message in told:
        text = json.dumps(message)
        for one in (
            message.get("setupComplete", {}).get("sessionId"),
            message.get("sessionResumptionUpdate", {}).get("newHandle"),
            *(call["id"] for call in message.get("toolCall", {}).get("functionCalls", [])),
            *message.get("toolCallCancellation", {}).get("ids", []),
        ):
            text = text.replace(str(one), "…") if one else text
        text = SOUND.sub(whose, text)
        if text == "{}" and kept and VOICE in kept[-1]:
            continue
        if not kept or kept[-1] != text:
            kept.append(text)
    return kept
