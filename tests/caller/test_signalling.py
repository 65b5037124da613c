"""What a caller says about servers, and proxies or login pages before them, that refuse a call."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from tests.support.answering_server import answering_server
from vision_agent import CallRefused
from vision_agent.caller.signalling import Signalling, parse_headers


@contextlib.asynccontextmanager
async def saying(reply: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve one response to every request; yields the address and the requests."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            # A socket that is closed with unread data is reset, and the reply is lost.
            if length := re.search(rb"content-length: (\d+)", asked[-1], re.IGNORECASE):
                await reader.readexactly(int(length[1]))
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


LOGIN = b"<!doctype html><title>Sign in</title>"
REFUSALS = {
    "a login page": (response("200 OK", LOGIN), "web page.*Cookie"),
    "a redirect to a login": (response("302 Found", b"", "Location: /login"), "/login.*Cookie"),
    "a redirect to TLS": (
        response("308 Permanent Redirect", b"", "Location: https://example.org/"),
        "redirects to https://example.org/",
    ),
    "a proxy's 401": (response("401 Unauthorized", LOGIN), "HTTP 401.*Cookie"),
    "text": (response("200 OK", b"hello"), "didn't answer with JSON"),
    "deep JSON": (response("200 OK", b"[" * 100_000), "didn't answer with JSON"),
    "a list": (response("200 OK", b"[1]"), "without an SDP"),
    "an SSH server": (b"SSH-2.0-OpenSSH_9.2\r\n", "can't be reached"),
    "half an answer": (response("200 OK", b"{}")[:-1], "didn't answer with JSON"),
    "nothing": (b"", "can't be reached"),
}


@pytest.mark.parametrize(("reply", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_what_does_not_take_a_call_is_told_in_words(reply: bytes, words: str) -> None:
    async with saying(reply) as (url, _):
        with pytest.raises(CallRefused, match=words):
            await Signalling(url, None, 5).offer("v=0")


async def test_an_answer_that_drips_is_not_waited_for_to_its_end() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with asyncio.timeout(30):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(CallRefused, match="not over after"):
            await Signalling(url, None, 0.2).ice_servers()
    server.close()


async def test_a_token_is_not_carried_to_where_a_redirect_points() -> None:
    async with saying(response("200 OK", b"{}")) as (elsewhere, asked):
        reply = response("307 Temporary Redirect", b"", f"Location: {elsewhere}/")
        async with saying(reply) as (url, _):
            with pytest.raises(CallRefused, match="redirects"):
                await Signalling(url, "secret", 5).ice_servers()
        assert asked == []


async def test_headers_go_with_every_request() -> None:
    async with answering_server() as server:
        signalling = Signalling(server.url, "t", 5, {"Cookie": "session=1", "X-Who": "me"})
        assert await signalling.ice_servers() == []
        await signalling.offer("v=0")
        await signalling.goodbye("call-1")
    assert [name for name, _ in server.requests] == ["info", "offer", "goodbye"]
    for _, headers in server.requests:
        assert headers["cookie"] == "session=1"
        assert headers["x-who"] == "me"
        assert headers["authorization"] == "Bearer t"


def test_headers_are_read_as_they_are_written() -> None:
    lines = ["Cookie: a=b; c=d", "X-Empty:", "Authorization:Basic abc:def"]
    assert parse_headers(lines) == {
        "Cookie": "a=b; c=d",
        "X-Empty": "",
        "Authorization": "Basic abc:def",
    }


@pytest.mark.parametrize("line", ["", "Cookie", ": x", "Two words: x", "A: b\r\nC: d", "Ä: b"])
def test_what_is_no_header_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="Name: value"):
        parse_headers([line])
