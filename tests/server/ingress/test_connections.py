"""Idle and slow connections do not keep callers out."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from tests.support.waiting import until
from vision_agent.calls.refusal import Refusal
from vision_agent.server.ingress.body import BoundedBody
from vision_agent.server.ingress.connections import Connections, bounded_protocol
from vision_agent.server.listening import listen


def test_every_connection_is_kept_while_there_is_room():
    connections = Connections(3, 2)
    assert [connections.opened(n, "a") for n in (1, 2)] == [None, None]
    assert connections.opened(3, "b") is None
    assert len(connections) == 3


def test_the_one_that_was_idle_longest_makes_room():
    connections = Connections(2, 9)
    for number in (1, 2):
        connections.opened(number, "a")
    connections.busy(1)
    connections.idle(1)
    assert connections.opened(3, "a") == 2
    assert connections.opened(4, "a") == 1


def test_one_that_is_served_stays_and_the_new_one_goes():
    connections = Connections(2, 9)
    for number in (1, 2):
        connections.opened(number, "a")
        connections.busy(number)
    assert connections.opened(3, "a") == 3
    connections.closed(1)
    assert connections.opened(4, "a") is None


def test_one_address_makes_room_from_its_own_and_no_other_has_to():
    connections = Connections(9, 2)
    connections.opened("theirs", "b")
    for number in (1, 2):
        connections.opened(number, "a")
    assert connections.opened(3, "a") == 1
    connections.closed(2)
    assert connections.opened(4, "a") is None


def test_an_unlimited_address_is_counted_with_all_only():
    connections = Connections(3, 1, unlimited=lambda address: address == "proxy")
    assert [connections.opened(n, "proxy") for n in (1, 2, 3)] == [None] * 3
    assert connections.opened(4, "proxy") == 1


class Held:
    """An application that answers `/held` only once `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        if scope["method"] == "POST":
            while (await receive()).get("more_body"):
                pass
        if scope["path"] == "/held":
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})


def answering(app):
    """The application, with refusals as responses."""

    async def answer(scope, receive, send) -> None:
        try:
            await app(scope, receive, send)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)

    return answer


@contextlib.asynccontextmanager
async def listening(app, connections: Connections, **times: float) -> AsyncIterator[int]:
    """Serves under uvicorn with these bounds; yields the port."""
    protocol = bounded_protocol(connections, **times)
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_level="warning")
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve(sockets=[bound]))
    try:
        await until(lambda: server.started)
        yield bound.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await serving


async def opened(port: int, text: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    return reader, writer


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


@pytest_asyncio.fixture
async def held() -> AsyncIterator[Held]:
    held = Held()
    yield held
    held.go.set()


@pytest.mark.parametrize(
    "sent",
    ["", "GET / HTTP/1.1\r\nHost: x\r\nX-a: ", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"],
    ids=["nothing", "half the headers", "half the headers of a second request"],
)
async def test_a_request_that_does_not_come_is_not_waited_for(held, sent):
    connections = Connections(9, 9)
    async with listening(held, connections, headers_within_s=0.2) as port:
        reader, writer = await opened(port, sent)
        await until_closed(reader)
        assert len(connections) == 0
        writer.close()


async def test_half_a_body_is_answered_and_its_connection_closed(held):
    connections = Connections(9, 9)
    async with listening(BoundedBody(answering(held), within_s=0.2), connections) as port:
        reader, writer = await opened(
            port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        )
        assert b" 408 " in (await until_closed(reader)).partition(b"\r\n")[0]
        writer.close()
    assert len(connections) == 0


async def test_a_response_that_is_never_read_is_not_waited_for(held):
    async with listening(held, Connections(9, 9), request_within_s=0.2) as port:
        reader, writer = await opened(port, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await until_closed(reader) == b""
        writer.close()


async def test_a_request_comes_through_though_others_hold_every_connection(held):
    async with listening(held, Connections(4, 9)) as port:
        half = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        idle = [await opened(port, half if n % 2 else "") for n in range(9)]
        reader, writer = await opened(
            port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert b"here" in await until_closed(reader)
        for _, other in [*idle, (reader, writer)]:
            other.close()


async def test_where_all_are_served_the_next_is_told_to_wait(held):
    async with listening(held, Connections(2, 9)) as port:
        busy = [await opened(port, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(2)]
        refused, writer = await opened(port)
        head, _, body = (await until_closed(refused)).partition(b"\r\n\r\n")
        assert b" 503 " in head
        assert b"Retry-After" in head
        assert "too many connections" in json.loads(body)["error"]
        held.go.set()
        assert b"here" in await busy[0][0].read(4096)
        for _, other in [*busy, (refused, writer)]:
            other.close()


@pytest.mark.parametrize(
    "sent",
    ["no-such-method / HTTP/1.1\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "\x16\x03\x01", "\r\n{}\r\n"],
)
async def test_what_is_no_request_is_refused_in_words(held, sent):
    async with listening(held, connections := Connections(9, 9)) as port:
        refused, writer = await opened(port, sent)
        head, _, body = (await until_closed(refused)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert "no HTTP request" in json.loads(body)["error"]
        writer.close()
    assert len(connections) == 0


_CHUNKED = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        ("GET / HTTP/1.1\r\nX: ", "a"),
        ("GET / HTTP/1.1\r\n", "a"),
        ("GET / HTTP/1.1\r\n", "X: y\r\n"),
        ("GET /", "a"),
        (_CHUNKED + "5;", "a"),
        (_CHUNKED + "0\r\n", "X: y\r\n"),
        ("", "\r\n"),
    ],
)
async def test_what_a_request_has_besides_its_body_is_bounded(held, begin, more):
    async with listening(held, connections := Connections(9, 9), headers_within_s=60) as port:
        reader, writer = await opened(port, begin)
        with contextlib.suppress(ConnectionError):
            for _ in range(10):
                writer.write((more * 100_000)[:100_000].encode())
                await writer.drain()
        answer = await until_closed(reader)
        # A socket that is closed with unread data may lose the refusal.
        assert not answer or b" 431 " in answer or b" 400 " in answer
        writer.close()
        await until(lambda: len(connections) == 0)


async def test_a_large_body_is_no_head(held):
    async with listening(held, Connections(9, 9)) as port:
        head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        reader, writer = await opened(port, head + "a" * 1_000_000)
        assert b"here" in await reader.read(4096)
        writer.close()


async def test_requests_that_wait_on_a_connection_are_bounded(held):
    async with listening(held, Connections(9, 9), headers_within_s=60) as port:
        request = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n"
        reader, writer = await opened(port, request * 10)
        held.go.set()
        answers = b""
        while answers.count(b"here") < 10:
            answers += await reader.read(4096)
        held.go.clear()
        refused, other = await opened(port, request * 50)
        assert b"Too many requests wait" in await until_closed(refused)
        for each in (writer, other):
            each.close()


def test_small_answers_on_a_kept_connection_do_not_wait_for_an_acknowledgement():
    # asyncio sets TCP_NODELAY only if the listening socket states its protocol.
    with listen("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
