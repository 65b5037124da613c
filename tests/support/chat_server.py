"""A server with OpenAI's chat-completions interface, controlled by a test.

It sends the streams of such servers, and can break connections as networks do. It uses no code of
the product.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.openai_server import openai_server


@dataclass(frozen=True)
class Think:
    """Thoughts, as sent by servers that separate them from the answer."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function call, whose arguments are sent in pieces of a few characters."""

    name: str
    arguments: str = "{}"
    id: str = "call_1"
    index: int = 0


@dataclass(frozen=True)
class Status:
    """An answer of another kind than a stream."""

    code: int
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Break:
    """The connection breaks."""


class Usage:
    """Counts of tokens: 40 read, 7 written, 2 of them thoughts."""


@dataclass(frozen=True)
class Sleep:
    """The model pauses."""

    seconds: float


@dataclass(frozen=True)
class Chunk:
    """Arbitrary data of an event."""

    data: Any


Step = Chunk | Sleep | str | Think | Call | Status | Break | Usage | asyncio.Event
Answers = Callable[[dict[str, Any]], Iterable[Step]]


def error(code: int, message: str, **headers: str) -> Status:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Status(code, {"error": {"message": message, "type": "an_error"}}, names)


def _answer(status: Status) -> web.Response:
    text = status.body if isinstance(status.body, str) else json.dumps(status.body)
    headers = {"Content-Type": "application/json", **status.headers}
    return web.Response(status=status.code, text=text, headers=headers)


@dataclass
class ChatServer:
    """A running server.

    Attributes:
        answers: Makes the steps of an answer to a request.
        models: The names it lists, or the response in place of a list.
        requests: The bodies of all chat requests.
        headers: The headers of all chat requests.
        cut_off: How many clients left before the end of an answer.
    """

    answers: Answers = lambda request: ["Hello there."]
    models: list[str] | Status = field(default_factory=lambda: ["tiny"])
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    cut_off: int = 0
    url: str = ""

    async def list(self, request: web.Request) -> web.Response:
        if isinstance(self.models, Status):
            return _answer(self.models)
        data = [{"id": name, "object": "model"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        steps = list(self.answers(body))
        if steps and isinstance(steps[0], Status):
            return _answer(steps[0])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._stream(request, response, steps)
        except (ConnectionResetError, asyncio.CancelledError):
            self.cut_off += 1
            raise
        return response

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, steps: Iterable[Step]
    ) -> None:
        async def send(**chunk: Any) -> None:
            whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
            await response.write(f"data: {json.dumps(whole | chunk)}\n\n".encode())

        async def delta(finish: str | None = None, **delta: Any) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            await send(choices=[choice])

        await delta(role="assistant", content="")
        for step in steps:
            match step:
                case str():
                    for at in range(0, len(step), 3):
                        await delta(content=step[at : at + 3])
                case Chunk(data):
                    await response.write(f"data: {json.dumps(data)}\n\n".encode())
                case Think(text):
                    await delta(reasoning_content=text)
                case Call(name, arguments, call_id, index):
                    first = {"index": index, "id": call_id, "type": "function"}
                    await delta(tool_calls=[first | {"function": {"name": name, "arguments": ""}}])
                    for at in range(0, len(arguments), 5):
                        piece = {"arguments": arguments[at : at + 5]}
                        await delta(tool_calls=[{"index": index, "function": piece}])
                case Sleep(seconds):
                    await asyncio.sleep(seconds)
                case asyncio.Event():
                    await step.wait()
                case Break():
                    assert request.transport is not None
                    request.transport.abort()
                    return
                case Usage():
                    counts = {"prompt_tokens": 40, "completion_tokens": 7, "total_tokens": 47}
                    details = {"reasoning_tokens": 2}
                    usage = counts | {"completion_tokens_details": details}
                    await send(choices=[], usage=usage)
        await delta("stop")
        await response.write(b"data: [DONE]\n\n")


@asynccontextmanager
async def chat_server() -> AsyncIterator[ChatServer]:
    server = ChatServer()
    async with openai_server(
        web.get("/v1/models", server.list), web.post("/v1/chat/completions", server.chat)
    ) as server.url:
        yield server
