"""Request bodies that are too large, or never complete."""

import asyncio

import pytest

from vision_agent.calls.refusal import Refusal
from vision_agent.server.ingress.body import LINGER_BYTES, MAX_BODY_BYTES, BoundedBody


class Client:
    """Sends chunks and then nothing; records the messages of the response."""

    def __init__(self, *chunks: bytes, complete: bool = True) -> None:
        self.chunks = list(chunks)
        self.complete = complete
        self.sent: list[dict] = []

    async def receive(self) -> dict:
        if not self.chunks:
            await asyncio.Event().wait()
        body = self.chunks.pop(0)
        return {
            "type": "http.request",
            "body": body,
            "more_body": bool(self.chunks) or not self.complete,
        }

    async def send(self, message: dict) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def closes(self) -> bool:
        return (b"connection", b"close") in self.sent[0]["headers"]


async def echo(scope, receive, send) -> None:
    body, more = b"", True
    try:
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
    except Refusal as refusal:
        await refusal.response()(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def ask(client: Client, *headers: tuple[bytes, bytes], within_s: float = 10) -> Client:
    scope = {"type": "http", "headers": list(headers)}
    app = BoundedBody(echo, within_s)
    await asyncio.wait_for(app(scope, client.receive, client.send), 10)
    return client


async def test_a_body_within_the_bounds_passes_whole():
    client = await ask(Client(b"a" * 1000, b"b"))
    assert client.status == 200
    assert client.sent[-1]["body"] == b"a" * 1000 + b"b"
    assert not client.closes


@pytest.mark.parametrize("announced", [MAX_BODY_BYTES + 1, 99_999_999_999, "9" * 5000])
async def test_one_that_announces_too_much_is_refused_before_it_is_read(announced):
    client = await ask(Client(b""), (b"content-length", str(announced).encode()))
    assert client.status == 413
    assert client.closes


async def test_one_in_chunks_is_refused_as_soon_as_it_is_too_large():
    client = await ask(Client(*[b"a" * 1000] * 3000))
    assert client.status == 413
    assert client.closes
    # The server reads a bounded rest of the body, so that the client gets the refusal.
    assert 0 < len(client.chunks) < 3000 - LINGER_BYTES // 1000 + 1
    assert client.sent[-1] == {"type": "http.response.body", "body": b""}


async def test_one_that_stays_incomplete_is_given_up():
    client = await ask(Client(b"{", complete=False), within_s=0.1)
    assert client.status == 408
    assert client.closes
