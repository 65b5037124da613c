"""Each fault of a scenario, as google-genai's own client gets it over a real socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import websockets.exceptions
from google.genai import Client, errors, live, types

from tests.local.live_clients import MODEL_2, SETUP, http_options, raw, trusting
from tests.local.live_talk import Heard, audio, kinds
from tests.support.waiting import until
from vision_agent.local.scenarios.scenario_file import load_scenario, read_scenario
from vision_agent.local.server import LocalServer, serve

SAMPLES = Path(__file__).parents[3] / "samples" / "scenarios"

SCRIPT = """
engine: false
answers:
  - {when: {words: long}, say: This is an answer of two seconds or so.}
otherwise: {say: Short.}
"""


@asynccontextmanager
async def serving(faults: str, more: str = SCRIPT) -> AsyncIterator[LocalServer]:
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(f"{more}\nfaults:\n{faults}"))
    try:
        yield server
    finally:
        await server.close()


def calling(
    server: LocalServer, handle: str | None = None, *, any_size: bool = True
) -> AbstractAsyncContextManager[live.AsyncSession]:
    options = http_options(server)
    if not any_size:
        # A client that sets no limit has the default of 1 MiB.
        options.async_client_args = {"ssl": trusting(server)}
    client = Client(vertexai=False, api_key="any", http_options=options)
    config = types.LiveConnectConfig(
        response_modalities=["AUDIO"],
        output_audio_transcription=types.AudioTranscriptionConfig(),
        session_resumption=types.SessionResumptionConfig(handle=handle),
    )
    return client.aio.live.connect(model=MODEL_2, config=config)


async def closed(session: live.AsyncSession, within_s: float = 5.0) -> tuple[int, str]:
    """Read until the connection ends; returns the close code and reason that the client reports."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                async for _ in session.receive():
                    pass
    except errors.APIError as error:
        return error.code, str(error)
    except websockets.exceptions.ConnectionClosed as error:
        return (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, ""),
        (1006, ""),
        (1001, "Going away."),
        (1007, "Request contains an invalid argument."),
        (1008, "Operation was aborted"),
        (1011, "Internal error encountered."),
        (1012, ""),
        (4999, ""),
    ],
)
async def test_a_drop_ends_the_connection_with_its_code(code: int, reason: str) -> None:
    drop = f"  - {{drop: {code}, reason: '{reason}'}}"
    async with serving(drop) as server, calling(server) as session:
        found_code, found_reason = await closed(session)
    assert found_code == code
    assert reason in found_reason


async def test_a_drop_at_the_setup_comes_instead_of_its_answer() -> None:
    drop = "  - {drop: 1011, reason: Try again., at: {setup: true}}"
    async with serving(drop) as server:
        with pytest.raises(errors.APIError, match=r"1011.*Try again"):
            async with calling(server):
                pass
        async with calling(server):
            assert server.connections == 1


async def test_a_drop_in_the_middle_of_an_answer_of_a_later_turn() -> None:
    drop = "  - {drop: 1006, at: {turn: 2, audio_chunks: 3}}"
    async with serving(drop) as server, calling(server) as session, Heard(session) as heard:
        await session.send_realtime_input(text="long")
        await heard.until("audio")
        await session.send_realtime_input(text="long")
        await heard.until("interrupted")
        with pytest.raises((errors.APIError, websockets.exceptions.ConnectionClosed)):
            await heard.until("never")
    second = heard.messages[[kinds(message) for message in heard.messages].index(["interrupted"]) :]
    # A torn connection loses the messages that have not got through yet.
    assert 1 <= sum(bool(message.data) for message in second) <= 5


async def test_a_connection_on_which_nobody_speaks_is_torn_off_without_notice() -> None:
    drop = "  - {drop: 1006, at: {silent_s: 0.3}, times: always}"
    async with serving(drop) as server:
        for _ in range(2):
            async with calling(server) as session, Heard(session) as heard:
                await session.send_realtime_input(text="short")
                await heard.until("turn_complete")
                await session.send_realtime_input(audio=audio(bytes(640)))
                with pytest.raises((errors.APIError, websockets.exceptions.ConnectionClosed)):
                    await heard.until("never")
        assert len(server.faults.log) == 2


async def test_a_scenario_refuses_who_resumes_a_session_before_its_connection_is_closed() -> None:
    told = SCRIPT + "habits: {resumes_while_open: false}\n"
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(told))
    try:
        async with calling(server) as session, Heard(session) as heard:
            await session.send_realtime_input(text="short")
            update = (await heard.until("session_resumption_update")).session_resumption_update
            handle = update.new_handle
            with pytest.raises(errors.APIError, match="1011"):
                async with calling(server, handle):
                    pass
        await until(lambda: server.connections == 0)
        async with calling(server, handle):
            assert server.connections == 1
    finally:
        await server.close()


async def test_go_away_says_how_long_and_keeps_its_word() -> None:
    go_away = "  - {go_away_s: 0.5, at: {after_s: 0.1}, code: 1001, reason: Time is up.}"
    async with serving(go_away) as server, calling(server) as session:
        async for message in session.receive():
            if message.go_away:
                break
        said_s = time.monotonic()
        assert message.go_away is not None
        assert message.go_away.time_left == "0.500s"
        assert (await closed(session))[0] == 1001
        assert 0.4 < time.monotonic() - said_s < 4


async def handles(heard: Heard, kind: str, count: int) -> list[bool]:
    """Of every update until the ``count``-th of this kind: whether it has a handle."""
    await heard.until(kind, count)
    updates = [message.session_resumption_update for message in heard.messages]
    assert all(bool(update.resumable) == bool(update.new_handle) for update in updates if update)
    return [bool(update.resumable) for update in updates if update]


async def test_it_may_say_that_it_cannot_be_resumed() -> None:
    fault = "  - {resumable: false, at: {turn: 2}}"
    async with serving(fault) as server, calling(server) as session, Heard(session) as heard:
        await session.send_realtime_input(text="long")
        await heard.until("audio")
        await session.send_realtime_input(text="two")
        found = await handles(heard, "session_resumption_update", 2)
    # During an answer, no update has a handle; the fault sends one more such update.
    assert found == [False, True, False, False, True]


async def test_it_may_not_be_resumable_for_a_while() -> None:
    fault = "  - {resumable: false, for_s: forever}"
    async with serving(fault) as server, calling(server) as session, Heard(session) as heard:
        await session.send_realtime_input(text="long")
        await heard.until("audio")
        await session.send_realtime_input(text="two")
        found = await handles(heard, "not_resumable", 5)
        assert heard.count("turn_complete") == 2
    # One update by the fault, and two for each answer, at its beginning and its end.
    assert found == [False] * 5


async def test_a_handle_expires_in_the_words_of_the_service() -> None:
    async with serving("  - {handle: expired}") as server:
        async with calling(server) as session, Heard(session) as heard:
            await session.send_realtime_input(text="one")
            update = (await heard.until("session_resumption_update")).session_resumption_update
        assert update is not None
        with pytest.raises(errors.APIError, match=r"1008.*session not found"):
            async with calling(server, update.new_handle):
                pass
        async with calling(server, update.new_handle):
            pass


async def test_connections_are_refused_with_an_http_status() -> None:
    async with serving("  - {refuse: 503, times: 2}") as server:
        for _ in range(2):
            with pytest.raises(websockets.exceptions.InvalidStatus, match="503"):
                async with calling(server):
                    pass
        async with calling(server):
            pass


async def test_connections_are_refused_with_a_reset() -> None:
    async with serving("  - {refuse: reset, at: {connection: 2}}") as server:
        async with calling(server):
            pass
        with pytest.raises((ConnectionResetError, websockets.exceptions.InvalidMessage)) as refused:
            async with calling(server):
                pass
        causes = [refused.value, refused.value.__cause__, refused.value.__context__]
        assert any(isinstance(cause, OSError | EOFError) for cause in causes)
        async with calling(server):
            pass


async def test_a_server_that_reads_slowly_holds_up_who_sends() -> None:
    slow = "  - {slow_reads_s: 0.3, for_s: 2}"
    sound = types.Blob(data=bytes(100_000), mime_type="audio/pcm;rate=16000")
    async with serving(slow) as server, calling(server) as session:

        async def send_for_ever() -> None:
            while True:
                await session.send_realtime_input(audio=sound)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send_for_ever(), 1)


async def test_a_stall_sends_nothing_and_reads_on() -> None:
    stall = "  - {stall_s: 1, at: {turn: 1}}"
    async with serving(stall) as server, calling(server) as session, Heard(session) as heard:
        await session.send_realtime_input(text="long")
        await heard.until("thought")
        begun_s = time.monotonic()
        before = len(heard.messages)
        await session.send_realtime_input(text="two")
        await heard.until("interrupted")
        assert time.monotonic() - begun_s > 0.8
        # One message was held back while it was sent; those queued behind it were dropped.
        assert [kinds(message) for message in heard.messages[before:]].index(["interrupted"]) <= 1


async def test_the_setup_is_answered_late() -> None:
    async with serving("  - {setup_complete_s: 1}") as server:
        begun_s = time.monotonic()
        async with calling(server):
            assert time.monotonic() - begun_s > 0.9


async def test_the_setup_is_never_answered() -> None:
    async with serving("  - {setup_complete_s: never}") as server:
        async with raw(server) as connection:
            await connection.send(SETUP)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connection.recv(), 1)
        async with calling(server):
            pass


async def test_a_large_message_is_read_by_who_set_no_limit() -> None:
    big = "  - {oversized_bytes: 2000000}"
    async with serving(big) as server, calling(server) as session, Heard(session) as heard:
        await session.send_realtime_input(text="one")
        await heard.until("turn_complete")


async def test_a_large_message_ends_the_connection_of_who_kept_the_limit() -> None:
    big = "  - {oversized_bytes: 2000000}"
    async with serving(big) as server, calling(server, any_size=False) as session:
        code, reason = await closed(session)
    # The client ends the connection itself, so it gets no close code.
    assert code == 1006, reason


@pytest.mark.parametrize("what", ["not-json", "noise", "unknown"])
async def test_garbage_reaches_the_client(what: str) -> None:
    async with serving(f"  - garbage: {what}") as server, calling(server) as session:
        with pytest.raises((ValueError, TypeError)):
            await closed(session)


async def test_the_hostile_sample_does_what_it_says_in_order() -> None:
    scenario = load_scenario(SAMPLES / "hostile.yaml")
    server = await serve("127.0.0.1", 0, None, scenario=scenario)
    try:
        for _ in range(3):
            async with calling(server) as session, Heard(session) as heard:
                await session.send_realtime_input(text="hello")
                with pytest.raises((ValueError, TypeError)):
                    await heard.until("never")
        async with calling(server) as session, Heard(session) as heard:
            await session.send_realtime_input(text="hello")
            await heard.until("turn_complete")
        assert heard.captions == "Still here."
    finally:
        await server.close()
    assert server.faults is not None
    assert [kind for _, kind in server.faults.log] == [fault.kind for fault in scenario.faults]


async def test_one_after_another_on_a_client_that_comes_back() -> None:
    random = f"{SCRIPT}\nevery_s: 0.6\nrandom: true\nseed: 3"
    faults = "  - {drop: 1011}\n  - {refuse: 503}\n  - {stall_s: 0.1}\n  - {handle: expired}"
    seen: set[str] = set()
    handle: str | None = None
    async with serving(faults, random) as server:
        assert server.faults is not None
        async with asyncio.timeout(20):
            while len({type(kind) for _, kind in server.faults.log}) < 4:
                try:
                    async with calling(server, handle) as session, Heard(session) as heard:
                        await session.send_realtime_input(text="one")
                        update = await heard.until("session_resumption_update")
                        assert update.session_resumption_update is not None
                        handle = update.session_resumption_update.new_handle
                        await heard.until("never")
                except websockets.exceptions.InvalidStatus:
                    seen.add("refused")
                except (errors.APIError, websockets.exceptions.ConnectionClosed) as error:
                    if "session not found" in str(error):
                        handle = None
                        seen.add("expired")
    assert seen == {"refused", "expired"}
