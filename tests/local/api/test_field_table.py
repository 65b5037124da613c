"""What docs/local-live-api.md says of every message and field is true, row by row.

A conversation is held twice over a real socket, with the field and without it, and everything that
can be seen of it is compared: what the client is told, what the engine hears, and what it is asked.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import re
from collections import deque
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
import websockets.asyncio.client as websocket_client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.local.api.field_table import Refusal, Row, fields, refusals
from tests.local.api.sdk_types import camel, missing_from_page
from tests.local.live_clients import trusting
from tests.local.live_talk import LOUD, QUIET
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api.habits import LOCAL
from vision_agent.local.api.limits import Limits
from vision_agent.local.api.models import find_model
from vision_agent.local.api.schema import MESSAGES, ROOT
from vision_agent.local.api.schema_validation import snake_case
from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn
from vision_agent.local.server import LocalServer, serve
from vision_agent.virtual_time.loop import run_virtually

STUDIO = "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"
VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"

FIELDS = fields()
SAID = [row for row in FIELDS if "sent" in row.verdict]
ASKED = [row for row in FIELDS if "sent" not in row.verdict]

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
"""The message around a field, for the longest beginning of its path."""


def snake(value: Any) -> Any:
    """The same message in the other spelling, except inside what is the client's own."""
    if isinstance(value, dict):
        return {snake_case(name): snake(held) for name, held in value.items()}
    return [snake(held) for held in value] if isinstance(value, list) else value


PLAYED_S = 0.05
"""How long an answer's sound is played before it is cut off."""


class Conversation:
    """One conversation over a raw socket, and all that can be seen of it."""

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
        """Says hello, cuts in, asks for a tool, sends ``message``, and says goodbye.

        Returns:
            What was seen.
        """
        server = await serve("127.0.0.1", 0, self.engine)
        vertex = str(setup.get("model", "")).startswith("publishers/")
        model = find_model(str(setup.get("model", "")), vertex=vertex)
        # A turn of the model's that a tool is called in may be one with that of the result.
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
            # Only what was played of an answer that is cut off is part of the history.
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
            # Only what comes in the stream sees the stream's frames.
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
        """Until everything that was sent has been taken in, and every turn is over."""
        while True:
            seen = len(self.told)
            await self._spin()
            turns_over = sum("turnComplete" in m.get("serverContent", {}) for m in self.told)
            busy = self.engine.open_answers or turns_over < self._turns_due()
            if len(self.told) == seen and (not busy or self.ended):
                return
            await asyncio.sleep(0.1)

    def _turns_due(self) -> int:
        """How many turns are over when nothing more is to be said."""
        turns = self.engine.turns
        if not self._keeps_open:
            # A filler is a turn that the engine is not asked about.
            return len(turns) + sum(text == self._filler for text, *_ in self.engine.spoken)
        waits = bool(turns) and not turns[-1].tool_results and "time" in turns[-1].text
        return sum(not turn.tool_results for turn in turns) - waits

    async def _spin(self) -> None:
        # Client and server share this loop: what one sends, the other has before its time goes on.
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
                # What the engine reads of a declaration.
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
    """The engine's voice is a tone of ascending bytes; what is translated is the caller's."""
    first, second, *_ = base64.b64decode(sound[0])
    return VOICE if second == (first + 1) % 256 else sound[0]


def anonymous(told: list[dict[str, Any]]) -> list[Any]:
    """What was said without what is new each time: identifiers, and in how many pieces.

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


def place(row: Row, value: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The setup and the message with ``value`` in the row's field; without it for None."""
    setup = merged(copy.deepcopy(SETUP), row.setup)
    message: dict[str, Any]
    if row.path.split(".")[0] == "setup":
        message = {"setup": setup}
    else:
        around = max((path for path in AROUND if row.path.startswith(path)), key=len)
        message = copy.deepcopy(AROUND[around])
    *way, name = row.path.split(".")
    inner: Any = message
    for step in way:
        inner = inner.setdefault(step.removesuffix("[]"), [{}] if step.endswith("[]") else {})
        inner = inner[0] if step.endswith("[]") else inner
    if value is None:
        inner.pop(name, None)
    else:
        inner[name] = value
    return (message["setup"], None) if "setup" in message else (setup, message)


def merged(into: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            merged(into[name], value)
        else:
            into[name] = copy.deepcopy(value)
    return into


@cache
def seen_in(conversation: str, snake_names: bool) -> Any:
    """In virtual time, so that each time as much of an answer is played before it is cut off."""
    setup, message = json.loads(conversation)
    return run_virtually(lambda: Conversation(snake_names=snake_names).hold(setup, message))


def seen_of(
    setup: dict[str, Any], message: dict[str, Any] | None, *, snake_names: bool = False
) -> Any:
    """What is seen of a conversation. Without their fields, many rows have the same."""
    return seen_in(json.dumps([setup, message]), snake_names)


@pytest.mark.parametrize("row", ASKED, ids=str)
def test_a_field_does_something_or_nothing_as_the_page_says(row: Row) -> None:
    assert row.value is not None
    seen_with = seen_of(*place(row, row.value))
    SEEN.append(seen_with["told"])
    assert seen_of(*place(row, row.value), snake_names=True) == seen_with
    seen_without = seen_of(*place(row, None))
    if row.verdict == "ignored":
        assert seen_with == seen_without
        assert seen_with["ended"] == (1000, "")
    else:
        assert row.verdict == "supported"
        assert seen_with != seen_without


SEEN: list[list[str]] = []
"""What servers said in the conversations above."""


@pytest.mark.parametrize("refusal", refusals(), ids=str)
async def test_what_is_refused_ends_as_the_page_says(refusal: Refusal) -> None:
    sent = list(refusal.sent)
    path = VERTEX if "publishers/" in "".join(sent) else STUDIO
    path = sent.pop(0) if sent[0].startswith("/") else path
    query = sent.pop(0) if sent and sent[0].startswith("?") else "?key=any"
    server = await serve("127.0.0.1", 0, ScriptedEngine())
    uri = f"wss://127.0.0.1:{server.port}{path}{query}"
    try:
        async with websocket_client.connect(uri, ssl=trusting(server)) as connection:
            for message in sent:
                await connection.send(message)
            async with asyncio.timeout(30):
                await connection.wait_closed()
        code, words = connection.close_code, connection.close_reason
    except InvalidStatus as error:
        code, words = error.response.status_code, error.response.body.decode()
    finally:
        await server.close()
    assert code == refusal.code
    # A close frame holds 123 bytes.
    assert str(words).startswith(refusal.words[:120])


# The page is complete, and what it says of the server is true.


def test_the_page_names_every_field_that_a_client_can_send() -> None:
    def fields_of(message: str) -> dict[str, tuple[list[str], bool]]:
        # JSON Schema is a language of its own.
        return {
            camel(name): (
                [held.type] if held.type in MESSAGES and held.type != "Schema" else [],
                held.repeated,
            )
            for name, held in MESSAGES[message].items()
        }

    messages = {camel(name) for name in MESSAGES[ROOT]}
    assert set(missing_from_page(ROOT, fields_of)) == messages


async def other_conversations() -> None:
    """What no field brings about: ``goAway``, and cutting in while a tool is waited for."""
    engine = ScriptedEngine()
    engine.answers = lambda turn: [ToolRequest("get_time", {"place": "Graz"})]
    limits = Limits(connection_s=2.0, go_away_s=2.0)
    server: LocalServer = await serve("127.0.0.1", 0, engine, limits=limits)
    told: list[dict[str, Any]] = []
    uri = f"wss://127.0.0.1:{server.port}{STUDIO}?key=any"
    async with websocket_client.connect(uri, ssl=trusting(server)) as connection:
        for message in ({"setup": SETUP}, {"clientContent": QUESTION}):
            await connection.send(json.dumps(message))
        with contextlib.suppress(ConnectionClosed):
            async for raw in connection:
                told.append(json.loads(raw))
                if "toolCall" in told[-1]:
                    await connection.send(json.dumps({"realtimeInput": {"text": "never mind"}}))
                    engine.answers = lambda turn: [Say("All right.")]
    await server.close()
    assert connection.close_code == 1008
    SEEN.append(anonymous(told))
    for setup in MODELS_WITH_HABITS:
        engine = ScriptedEngine()
        engine.hears = deque([Transcript("good morning", True)])
        SEEN.append(anonymous(await one_turn(engine, setup)))


async def one_turn(engine: ScriptedEngine, setup: dict[str, Any]) -> list[dict[str, Any]]:
    """What is said in a turn in sound."""
    server = await serve("127.0.0.1", 0, engine)
    path = VERTEX if setup["model"].startswith("publishers/") else STUDIO
    uri = f"wss://127.0.0.1:{server.port}{path}"
    told: list[dict[str, Any]] = []
    async with websocket_client.connect(
        uri, ssl=trusting(server), additional_headers={"x-goog-api-key": "any"}
    ) as connection:
        await connection.send(json.dumps({"setup": setup}))
        for pcm in (LOUD * 10, QUIET * 70):
            await connection.send(json.dumps({"realtimeInput": {"audio": sound(pcm)}}))
        # A model that transcribes completes no turns.
        end = "generationComplete" if "transcribe" in setup["model"] else "turnComplete"
        while end not in (told or [{}])[-1].get("serverContent", {}):
            told.append(json.loads(await connection.recv()))
    await server.close()
    return told


MODELS_WITH_HABITS = (
    {"model": "models/gemini-2.5-flash-native-audio-latest"},
    {"model": "publishers/google/models/gemini-live-2.5-flash", "outputAudioTranscription": {}},
    {"model": "models/gemini-3.5-transcribe-live", "inputAudioTranscription": {}},
)


async def test_the_server_says_what_the_page_says_and_nothing_else() -> None:
    await other_conversations()
    if len(SEEN) < len(ASKED):
        pytest.skip("needs every row of the page before it: run this whole file")
    said = {path for told in SEEN for message in told for path in paths(json.loads(message))}
    verdicts = {row.path: row.verdict for row in SAID}
    # Described once, and the same at the other place.
    said = {path.replace("outputTranscription.", "inputTranscription.") for path in said}
    said = {path.replace("interimInputTranscription.", "inputTranscription.") for path in said}
    said = {path.replace("candidatesToken", "responseToken") for path in said}
    said = {path.replace("responseTokensDetails[].", "promptTokensDetails[].") for path in said}
    said = {path for path in said if not path.startswith("toolCall.functionCalls[].args.")}
    never = {path for path, verdict in verdicts.items() if verdict == "never sent"}
    sent = {path for path, verdict in verdicts.items() if verdict == "sent"}
    assert never & said == set()
    assert said - sent == set()
    assert sent - said == set()


def paths(message: dict[str, Any], prefix: str = "") -> Iterable[str]:
    for name, value in message.items():
        yield prefix + name
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from paths(item, f"{prefix}{name}{'[]' if isinstance(value, list) else ''}.")
