"""Every row of docs/local-live-api.md about a message or field is true.

A conversation is held twice over a real socket, with the field and without it, and everything that
can be observed is compared: what the client receives, what the engine hears, and what it is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections import deque
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
import websockets.asyncio.client as websocket_client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.local.api.field_conversation import (
    AROUND,
    QUESTION,
    SETUP,
    STUDIO,
    VERTEX,
    Conversation,
    anonymous,
    sound,
)
from tests.local.api.field_table import Refusal, Row, fields, refusals
from tests.local.api.sdk_types import camel, missing_from_page
from tests.local.live_clients import trusting
from tests.local.live_talk import LOUD, QUIET
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api.limits import Limits
from vision_agent.local.api.schema import MESSAGES, ROOT
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.server import LocalServer, serve
from vision_agent.virtual_time.loop import run_virtually

FIELDS = fields()
SAID = [row for row in FIELDS if "sent" in row.verdict]
ASKED = [row for row in FIELDS if "sent" not in row.verdict]


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
    """Hold a conversation in virtual time: an interruption always comes at the same point."""
    setup, message = json.loads(conversation)
    return run_virtually(lambda: Conversation(snake_names=snake_names).hold(setup, message))


def seen_of(
    setup: dict[str, Any], message: dict[str, Any] | None, *, snake_names: bool = False
) -> Any:
    """What is observed of a conversation, cached: without their fields, many rows share one."""
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
"""What servers sent in the conversations above."""


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


def test_the_page_names_every_field_that_a_client_can_send() -> None:
    def fields_of(message: str) -> dict[str, tuple[list[str], bool]]:
        # Fields of a JSON Schema are not the Live API's.
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
    """Conversations for what no field causes: ``goAway``, and cutting in while a tool runs."""
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
    """What a server sends in one spoken turn."""
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
        # A model that only transcribes completes no turns.
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
    # The page describes these messages once, at one of the places where they occur.
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
