"""Connections that send no request are bounded, and delay no others."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.local.live_clients import SETUP, Connect, raw, trusting
from tests.local.live_talk import Heard, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import Say
from vision_agent.local.server import MAX_HANDSHAKES, LocalServer, serve


async def plain(server: LocalServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port)


async def test_a_flood_of_connections_without_tls_is_cut_off_and_a_client_gets_in(
    server: LocalServer, connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Ok")]
    flood = [await plain(server) for _ in range(3 * MAX_HANDSHAKES)]
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hello")
        await heard.until("turn_complete")
    async with asyncio.timeout(10):
        for reader, _ in flood[: 2 * MAX_HANDSHAKES]:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
    for _, writer in flood:
        writer.close()


async def test_a_session_is_not_cut_off_for_connections_without_tls(server: LocalServer) -> None:
    async with raw(server) as connection:
        await connection.send(SETUP)
        await connection.recv()
        flood = [await plain(server) for _ in range(2 * MAX_HANDSHAKES)]
        await (await connection.ping())
        for _, writer in flood:
            writer.close()


async def test_small_messages_are_sent_at_once(server: LocalServer) -> None:
    async with raw(server):
        [connection] = server.websockets.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_localhost_is_where_the_certificate_is_good(
    engine: ScriptedEngine, host: str
) -> None:
    server = await serve(host, 0, engine)
    _, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=trusting(server), server_hostname="127.0.0.1"
    )
    writer.close()
    await server.close()
