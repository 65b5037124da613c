"""The endpoint admits and refuses clients, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator

import psutil
import pytest
import websockets
from google.genai import Client, errors, types
from websockets.asyncio.client import ClientConnection

from tests.local.ended_connections import closed
from tests.local.live_clients import (
    MODEL_2,
    SETUP,
    Connect,
    http_options,
    raw,
    trusting,
)
from tests.local.live_talk import LOUD, Heard, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from tests.support.waiting import until
from vision_agent.local.contract import Say
from vision_agent.local.server import LocalServer, serve


async def test_who_never_says_what_it_wants_is_sent_away(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, setup_within_s=0.2)
    async with raw(server) as connection:
        code, words = await closed(connection)
    await server.close()
    assert (code, words) == (1008, "The setup message did not come in time.")


async def test_who_never_finishes_the_handshake_is_sent_away(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, setup_within_s=0.2)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=trusting(server), server_hostname="127.0.0.1"
    )
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    await server.close()


async def test_another_path_is_not_found(server: LocalServer) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with raw(server, path="/v1/elsewhere"):
            pass
    assert refused.value.response.status_code == 404


async def test_a_full_house_says_when_to_come_again(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, max_connections=1)
    async with raw(server) as first:
        await first.send(SETUP)
        await first.recv()
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with raw(server):
                pass
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["Retry-After"] == "5"
    await until(lambda: not server.connections)
    async with raw(server) as again:
        await again.send(SETUP)
        assert b"setupComplete" in await again.recv()
    await server.close()


async def test_a_message_of_more_than_four_mebibytes_is_refused(server: LocalServer) -> None:
    async with raw(server) as connection:
        await connection.send(SETUP)
        await connection.recv()
        await connection.send('{"realtime_input":{"text":"' + "x" * 4 * 2**20 + '"}}')
        code, _ = await closed(connection)
    assert code == 1009


async def test_nobody_else_is_trusted_with_the_certificate(server: LocalServer) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=ssl.create_default_context(), server_hostname="127.0.0.1"
        )


async def test_the_certificate_is_good_under_the_strictest_rules(server: LocalServer) -> None:
    context = trusting(server)
    # What `ssl.create_default_context` asks for from Python 3.13 on.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    for name in ("127.0.0.1", "localhost"):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=context, server_hostname=name
        )
        writer.close()


async def test_an_engine_that_fails_ends_the_session_with_1011(
    connect: Connect, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(turn: object) -> list[Say]:
        raise RuntimeError("the brain hurts")

    engine.answers = fail
    async with connect() as session:
        await type_text(session, "hello")
        with pytest.raises(errors.APIError) as ended:
            async for _ in session.receive():
                pass
    assert ended.value.code == 1011
    assert "the brain hurts" in caplog.text


async def test_closing_the_server_says_goodbye_and_ends_every_session(
    engine: ScriptedEngine,
) -> None:
    engine.answers = lambda turn: [asyncio.Event().wait]
    server = await serve("127.0.0.1", 0, engine)
    async with raw(server) as connection:
        await connection.send(SETUP)
        await connection.recv()
        await connection.send('{"realtime_input":{"text":"hello"}}')
        await until(lambda: engine.open_answers)
        async with asyncio.timeout(5):
            await server.close()
        code, _ = await closed(connection)
    assert code == 1001
    assert (engine.open_answers, engine.open_ears) == (0, 0)


async def test_a_client_that_reads_nothing_holds_up_nobody(
    server: LocalServer, connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [
        Say("x" * 1000) for _ in range(50 if turn.text == "everything" else 0)
    ]
    async with raw(server) as deaf:
        await deaf.send(SETUP)
        await deaf.send('{"realtime_input":{"text":"everything"}}')
        await until(lambda: engine.spoken)
        async with connect() as session, Heard(session) as heard:
            await type_text(session, "hello")
            await heard.until("turn_complete")
        # The answer waits for its reader instead of filling memory.
        assert len(engine.spoken) < 50
        deaf.transport.abort()


async def tear_off(server: LocalServer, number: int) -> None:
    """Make a connection whose number decides at which stage and in which way it ends."""
    connection = await raw(server)
    if number % 5 > 0:
        await connection.send(SETUP)
    if number % 5 > 1:
        await connection.send('{"realtime_input":{"text":"hello"}}')
        await connection.recv()
    if number % 5 > 2:
        await connection.recv()
    if number % 2:
        connection.transport.abort()
    else:
        await connection.close()


@pytest.fixture
async def quiet_loop() -> AsyncIterator[None]:
    """Fail a test in which an exception reaches the event loop's exception handler."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    yield
    gc.collect()
    assert complaints == []


async def test_a_hundred_connections_leave_nothing_behind(
    engine: ScriptedEngine, quiet_loop: None
) -> None:
    engine.answers = lambda turn: [Say("x" * 100), asyncio.Event().wait]
    server = await serve("127.0.0.1", 0, engine)
    process, before = psutil.Process(), asyncio.all_tasks()

    async def settled() -> int:
        """The number of descriptors once all tasks have ended; a closing connection holds some."""
        await until(lambda: not (engine.open_ears or engine.open_answers))
        await until(lambda: asyncio.all_tasks() == before)
        return process.num_fds()

    for number in range(10):
        await tear_off(server, number)
    gc.collect()  # leftovers of other tests must not be counted
    descriptors = await settled()
    for number in range(100):
        await tear_off(server, number)
    await settled()
    await until(lambda: process.num_fds() == descriptors)
    await server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 1)


async def test_sessions_do_not_hear_each_other(connect: Connect, engine: ScriptedEngine) -> None:
    captions = {"output_audio_transcription": types.AudioTranscriptionConfig()}
    async with (
        connect(**captions) as one,
        connect(**captions) as two,
        Heard(one) as first,
        Heard(two) as second,
    ):
        await send_sound(one, LOUD, 5)
        await type_text(two, "two")
        await type_text(one, "one")
        await asyncio.gather(first.until("turn_complete"), second.until("turn_complete"))
    assert (first.captions, second.captions) == ("You said one.", "You said two.")


async def test_the_base_address_may_end_with_a_slash(server: LocalServer) -> None:
    options = http_options(server)
    options.base_url = f"https://127.0.0.1:{server.port}/"
    client = Client(vertexai=False, api_key="any", http_options=options)
    async with client.aio.live.connect(model=MODEL_2) as session, Heard(session) as heard:
        await type_text(session, "hello")
        await heard.until("turn_complete")


async def test_a_burst_gets_no_more_lines_than_there_are(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, max_connections=2)
    came = await asyncio.gather(*(raw(server) for _ in range(12)), return_exceptions=True)
    let_in = [one for one in came if isinstance(one, ClientConnection)]
    refused = [one for one in came if isinstance(one, websockets.InvalidStatus)]
    assert (len(let_in), len(refused)) == (2, 10)
    assert {one.response.status_code for one in refused} == {503}
    for one in let_in:
        await one.close()
    await server.close()


async def test_a_silent_session_gives_its_line_to_a_newcomer_and_is_told_so(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_agent.local.lines.SILENT_S", 0.0)
    server = await serve("127.0.0.1", 0, engine, max_connections=1)
    async with raw(server) as silent:
        await silent.send(SETUP)
        await silent.recv()
        async with raw(server) as newcomer:
            await newcomer.send(SETUP)
            assert b"setupComplete" in await newcomer.recv()
        code, words = await closed(silent)
    assert (code, words) == (
        1008,
        "Nothing was sent for a while, and others wait for the line.",
    )
    await server.close()
