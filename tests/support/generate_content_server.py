"""A server that follows the documentation of Gemini's REST interface (`generateContent`).

https://ai.google.dev/api/generate-content: a request has `contents`, an answer has `candidates`, an
error has `error.code`, `error.message` and `error.status`. It knows nothing of the product.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.openai_server import openai_server

Answer = str | tuple[int, Any]


def error(code: int, message: str, status: str) -> tuple[int, Any]:
    return code, {"error": {"code": code, "message": message, "status": status}}


@dataclass
class GenerateContentServer:
    """A running server.

    Attributes:
        answers: Makes the answer to a request: the words, or status and body.
        requests: The bodies of all requests.
        keys: The `x-goog-api-key` of each request.
        models: The model of each request.
    """

    answers: Callable[[dict[str, Any]], Answer] = lambda request: "Hello."
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    url: str = ""

    async def generate(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("x-goog-api-key"))
        self.models.append(request.match_info["model"])
        answer = self.answers(body)
        if not isinstance(answer, str):
            status, body = answer
            return web.json_response(body, status=status)
        thought = {"text": "Let me think: no, no, no.", "thought": True}
        content = {"role": "model", "parts": [thought, {"text": answer}]}
        candidate = {"content": content, "finishReason": "STOP", "index": 0}
        return web.json_response({"candidates": [candidate], "modelVersion": "x"})


@asynccontextmanager
async def generate_content_server() -> AsyncIterator[GenerateContentServer]:
    server = GenerateContentServer()
    route = web.post("/v1beta/models/{model}:generateContent", server.generate)
    async with openai_server(route) as url:
        server.url = url.removesuffix("/v1")
        yield server
