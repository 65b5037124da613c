"""Plays the client's half of a recorded session to the local Live API, over a real socket.

The recorded model's words, thoughts and calls are the script of the local engine, so that the
conversation takes the same course; their form on the wire is the local server's. Recordings have
only the beginning of sound and images: the project's own replace them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import websockets.asyncio.client as websocket_client
from websockets.exceptions import ConnectionClosed

from tests.contract.habits import kinds
from tests.local.live_clients import STUDIO_PATH, trusting
from tests.local.recordings import spoken
from tests.support.recorded_sessions import RecordedMessage, RecordedSession
from vision_agent.local.contract import Say, Thought, ToolRequest, Transcript
from vision_agent.local.scenarios.scenario import Scenario, ScriptedAnswer, Step, When
from vision_agent.local.server import LocalServer, serve

VERTEX_PATH = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"

PICTURE = base64.b64encode(
    bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300") + bytes(64)
).decode()
"""The beginning of a JPEG: the scripted engine looks at no image."""

_CHUNK_MS = 40
_QUESTION = "what-do-you-see"
_WITHIN_S = 20.0
_QUIET_S = 0.4

_MILESTONES = (
    *("setupComplete", "toolCall", "toolCallCancellation", "interrupted"),
    *("generationComplete", "turnComplete", "goAway"),
)


async def play(session: RecordedSession, **habits: Any) -> list[RecordedMessage]:
    """Play a session's client to the local Live API; returns both sides' messages.

    Args:
        session: The recorded session.
        habits: Habits of the model that are changed.
    """
    scenario = replace(scenario_of(session), habits=habits)
    server = await serve("127.0.0.1", 0, None, scenario=scenario)
    try:
        return await _Player(session, server).play()
    finally:
        await server.close()


def scenario_of(session: RecordedSession) -> Scenario:
    """The script: the caller's transcripts, and each answer's thoughts, words and calls."""
    return Scenario(
        engine=False,
        voice="tone",
        hears=tuple(Transcript(text) for text in _heard(session)),
        hears_then="nothing",
        answers=tuple(_answers(session)),
        otherwise=(),
    )


def _heard(session: RecordedSession) -> Iterator[str]:
    text = ""
    for message in session.sent_by("server"):
        content = message.get("serverContent", {})
        text += content.get("inputTranscription", {}).get("text", "")
        if text and ("modelTurn" in content or "toolCall" in message):
            yield text.strip()
            text = ""
    if text:
        yield text.strip()


def _answers(session: RecordedSession) -> Iterator[ScriptedAnswer]:
    """An answer for each stretch that the model generated at once."""
    background = {
        name for name, call in _declared(session).items() if _in_background(call, session)
    }
    stretch = _Stretch()
    tool: str | None = None
    for line in session.messages:
        message = line.message
        if line.sender == "client":
            response = message.get("tool_response", message.get("toolResponse"))
            if response is not None:
                tool = next((str(each.get("name", "")) for each in _responses(response)), tool)
                if stretch and tool not in background:
                    yield stretch.answer()
                    stretch = _Stretch()
            continue
        said = stretch.add(message)
        if said and not stretch.begun:
            stretch.begun, stretch.tool, tool = True, tool, None
        if stretch and message.get("serverContent", {}).get("turnComplete"):
            yield stretch.answer()
            stretch = _Stretch()
    if stretch:
        yield stretch.answer()


class _Stretch:
    """What a model generated at once: thoughts, words and calls in their order."""

    def __init__(self) -> None:
        self.begun = False
        self.tool: str | None = None
        self._steps: list[Step] = []
        self._words = ""
        self._counted = False

    def __bool__(self) -> bool:
        return self.begun

    def add(self, message: dict[str, Any]) -> bool:
        """Add a server's message; returns whether the model generated a part of it."""
        content = message.get("serverContent", {})
        before = len(self._steps), self._words
        for part in content.get("modelTurn", {}).get("parts", []):
            if part.get("thought"):
                self._steps.append(Thought(part["text"]))
            elif "text" in part:
                self._words += part["text"]
        self._words += content.get("outputTranscription", {}).get("text", "")
        for call in message.get("toolCall", {}).get("functionCalls", []):
            self._flush()
            self._steps.append(ToolRequest(call["name"], call.get("args", {})))
        self._counted |= "thoughtsTokenCount" in message.get("usageMetadata", {})
        return before != (len(self._steps), self._words)

    def answer(self) -> ScriptedAnswer:
        """The stretch as an answer of a scenario."""
        self._flush()
        thinks = self._counted or any(isinstance(step, Thought) for step in self._steps)
        quiet = () if thinks else (Thought(""),)
        return ScriptedAnswer(When(tool=self.tool), (*quiet, *self._steps), times=1)

    def _flush(self) -> None:
        if self._words:
            self._steps.append(Say(self._words.strip()))
        self._words = ""


def _declared(session: RecordedSession) -> dict[str, dict[str, Any]]:
    return {
        call["name"]: call
        for tool in session.setup.get("tools", [])
        for call in tool.get("functionDeclarations", tool.get("function_declarations", []))
    }


def _in_background(call: dict[str, Any], session: RecordedSession) -> bool:
    if "behavior" in call:
        return bool(call["behavior"] == "NON_BLOCKING")
    return "3.8" in session.model


def _responses(response: dict[str, Any]) -> list[dict[str, Any]]:
    given = response.get("functionResponses", response.get("function_responses", []))
    return given if isinstance(given, list) else [given]


class _Player:
    def __init__(self, session: RecordedSession, server: LocalServer) -> None:
        self._session = session
        self._server = server
        self._seen: list[RecordedMessage] = []
        self._progress = _Progress()
        self._news = asyncio.Event()
        self._ids: dict[str, str] = {}
        self._speech = spoken(_QUESTION)
        self._over = False

    async def play(self) -> list[RecordedMessage]:
        path = VERTEX_PATH if self._session.on_vertex else STUDIO_PATH
        uri = f"wss://127.0.0.1:{self._server.port}{path}"
        async with websocket_client.connect(
            uri, ssl=trusting(self._server), additional_headers={"x-goog-api-key": "any"}
        ) as self._socket:
            reading = asyncio.create_task(self._read())
            try:
                await self._talk()
            except ConnectionClosed:
                pass
            finally:
                await self._socket.close()
                await reading
        return self._seen

    async def _talk(self) -> None:
        due = _Progress()
        hearing = False
        for line in self._session.messages:
            if line.sender == "server":
                due.add(line.message)
                continue
            await self._until(due, hearing=hearing)
            hearing = '"audio/pcm' in json.dumps(line.message)
            await self._send(line.message)
        await self._until(due, hearing=hearing)
        if not due.turn_is_open:
            await self._quiet()

    async def _until(self, due: _Progress, *, hearing: bool) -> None:
        """Wait for the recording's milestones so far; with `hearing`, silence is sent meanwhile."""
        try:
            async with asyncio.timeout(_WITHIN_S):
                while not (self._over or self._progress.reached(due)):
                    self._news.clear()
                    if hearing:
                        await self._socket.send(json.dumps(_sound(bytes(32 * _CHUNK_MS))))
                        await asyncio.sleep(_CHUNK_MS / 4000)
                    else:
                        await self._news.wait()
        except TimeoutError:
            pass  # the missing messages show in the habits

    async def _quiet(self) -> None:
        while not self._over:
            self._news.clear()
            try:
                open_turn = self._progress.turn_is_open
                async with asyncio.timeout(_WITHIN_S if open_turn else _QUIET_S):
                    await self._news.wait()
            except TimeoutError:
                return

    async def _send(self, recorded: dict[str, Any]) -> None:
        message = self._filled(recorded)
        if "setup" not in message:
            await asyncio.sleep(_CHUNK_MS / 4000)
        self._seen.append(RecordedMessage("client", recorded))
        await self._socket.send(json.dumps(message))

    async def _read(self) -> None:
        calls = iter(
            [
                call.get("id", "")
                for message in self._session.sent_by("server")
                for call in message.get("toolCall", {}).get("functionCalls", [])
            ]
        )
        try:
            async for raw in self._socket:
                message = json.loads(raw)
                self._seen.append(RecordedMessage("server", message))
                for call in message.get("toolCall", {}).get("functionCalls", []):
                    # The result of a recorded call without an id has only its name.
                    if recorded := next(calls, ""):
                        self._ids[recorded] = call["id"]
                self._progress.add(message)
                self._news.set()
        except ConnectionClosed:
            pass
        self._over = True
        self._news.set()

    def _filled(self, recorded: Any) -> Any:
        """The message with complete sound and images, and with the ids of this server's calls."""
        if isinstance(recorded, list):
            return [self._filled(item) for item in recorded]
        if not isinstance(recorded, dict):
            return self._ids.get(recorded, recorded) if isinstance(recorded, str) else recorded
        kind = str(recorded.get("mimeType", recorded.get("mime_type", "")))
        if "data" in recorded and kind:
            data = self._audio(str(recorded["data"])) if kind.startswith("audio/") else PICTURE
            return {**recorded, "data": data}
        return {name: self._filled(value) for name, value in recorded.items()}

    def _audio(self, beginning: str) -> str:
        """Silence in place of silence, and the next piece of a recording in place of speech."""
        size = 32 * _CHUNK_MS
        if re.fullmatch(r"[A_]*…?", beginning[:8]):
            return base64.b64encode(bytes(size)).decode()
        pcm, self._speech = self._speech[:size], self._speech[size:]
        return base64.b64encode(pcm or bytes(size)).decode()


def _sound(pcm: bytes) -> dict[str, Any]:
    data = base64.b64encode(pcm).decode()
    return {"realtime_input": {"audio": {"data": data, "mimeType": "audio/pcm;rate=16000"}}}


class _Progress:
    """The progress of a conversation: how often it has passed each milestone.

    Of sound only the beginning is a milestone, because each server cuts it into other pieces.
    """

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.turn_is_open = False
        self._sounds = False

    def add(self, message: dict[str, Any]) -> None:
        """Add a server's message."""
        for kind in kinds(message):
            if kind in _MILESTONES:
                self.passed[kind] += 1
                self.turn_is_open = kind == "generationComplete"
                self._sounds = False
            elif kind.startswith("sound") and not self._sounds:
                self.passed["sound"] += 1
                self.turn_is_open = self._sounds = True

    def reached(self, other: _Progress) -> bool:
        """Whether this one has passed every milestone that the other has."""
        return all(self.passed[kind] >= count for kind, count in other.passed.items())
