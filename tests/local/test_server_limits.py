"""Limits end connections and sessions over a real socket; here they are short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from google.genai import errors, live, types

from tests.local.live_clients import MODEL_2, studio_client
from tests.local.live_talk import Heard, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api import resumption_handles
from vision_agent.local.api.limits import UNLIMITED, Limits
from vision_agent.local.contract import Say
from vision_agent.local.server import LocalServer, serve

COMPRESSED = {
    "context_window_compression": types.ContextWindowCompressionConfig(
        trigger_tokens=400, sliding_window=types.SlidingWindow(target_tokens=300)
    )
}
RESUMABLE = {"session_resumption": types.SessionResumptionConfig()}
FRAME = types.Blob(data=b"jpeg", mime_type="image/jpeg")


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[tuple[LocalServer, ScriptedEngine]]:
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("Ok")]
    server = await serve("127.0.0.1", 0, engine, limits=limits)
    yield server, engine
    await server.close()
    assert engine.open_ears == 0


@asynccontextmanager
async def calling(
    server: LocalServer, **config: object
) -> AsyncIterator[tuple[live.AsyncSession, Heard]]:
    connecting = studio_client(server).aio.live.connect(
        model=MODEL_2,
        config=types.LiveConnectConfig(response_modalities=["AUDIO"], **config),  # type: ignore[arg-type]
    )
    async with connecting as session, Heard(session) as heard:
        yield session, heard


async def show_and_ask(session: live.AsyncSession, text: str) -> None:
    parts = [types.Part(inline_data=FRAME), types.Part(text=text)]
    await session.send_client_content(turns=types.Content(role="user", parts=parts))


async def the_end(heard: Heard, within_s: float = 30) -> tuple[int, str]:
    with pytest.raises(errors.APIError) as ended:
        await heard.until_true(lambda: False, within_s=within_s)
    return ended.value.code, str(ended.value)


async def handle_of(heard: Heard) -> types.SessionResumptionConfig:
    update = (await heard.until("session_resumption_update")).session_resumption_update
    assert update is not None
    return types.SessionResumptionConfig(handle=update.new_handle)


async def test_a_connection_says_go_away_and_ends_and_its_session_goes_on_in_the_next() -> None:
    limits = Limits(connection_s=3.0, go_away_s=1.5)
    async with serving(limits) as (server, engine):
        async with calling(server, **RESUMABLE) as (session, heard):
            await type_text(session, "first")
            handle = await handle_of(heard)
            told = (await heard.until("go_away")).go_away
            code, words = await the_end(heard)
        assert told is not None
        assert 0 < float(str(told.time_left).rstrip("s")) <= 1.5
        assert code == 1011
        assert "Deadline expired before operation could complete." in words
        async with calling(server, session_resumption=handle) as (session, heard):
            await type_text(session, "second")
            await heard.until("turn_complete")
    assert engine.turns[1].history == (("user", "first"), ("model", "Ok"))


@pytest.mark.parametrize(
    ("limits", "frames"),
    [
        (Limits(audio_session_s=0.5), False),
        (Limits(audio_session_s=60.0, video_session_s=0.5), True),
    ],
)
async def test_a_session_is_aborted_after_its_time_unless_its_context_is_compressed(
    limits: Limits, frames: bool
) -> None:
    async with serving(limits) as (server, _):
        async with calling(server) as (session, heard):
            if frames:
                await session.send_realtime_input(video=FRAME)
            code, words = await the_end(heard)
        assert code == 1008
        assert "The operation was aborted." in words
        async with calling(server, **COMPRESSED) as (session, heard):
            if frames:
                await session.send_realtime_input(video=FRAME)
            await asyncio.sleep(0.7)
            await type_text(session, "still there")
            await heard.until("turn_complete")


async def test_a_resumed_session_is_as_old_as_it_was() -> None:
    async with serving(Limits(audio_session_s=4.0)) as (server, _):
        async with calling(server, **RESUMABLE) as (session, heard):
            await asyncio.sleep(2.0)
            await type_text(session, "first")
            handle = await handle_of(heard)
        async with (
            calling(server) as (_, of_new),
            calling(server, session_resumption=handle) as (_, of_resumed),
        ):
            ends = {asyncio.create_task(the_end(heard)): heard for heard in (of_new, of_resumed)}
            first, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            assert [ends[task] for task in first] == [of_resumed]
            assert {code for code, _ in await asyncio.gather(*ends)} == {1008}


async def test_a_context_that_is_full_ends_the_session_or_loses_its_beginning() -> None:
    async with serving(Limits(context_tokens=400)) as (server, engine):
        for config, is_over in (({}, True), (COMPRESSED, False)):
            engine.turns.clear()
            async with calling(server, **config) as (session, heard):
                for number in (1, 2, 3):
                    await show_and_ask(session, f"question {number}")
                    if is_over and number == 2:
                        code, words = await the_end(heard)
                        assert code == 1007
                        assert "exceeds the maximum number of tokens allowed (400)" in words
                        break
                    await heard.until("turn_complete", number)
            if not is_over:
                assert [turn.history for turn in engine.turns] == [(), (), ()]
                assert [len(turn.frames) for turn in engine.turns] == [1, 1, 1]


async def test_a_handle_is_refused_when_it_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(UNLIMITED) as (server, _):
        async with calling(server, **RESUMABLE) as (session, heard):
            await type_text(session, "first")
            handle = await handle_of(heard)
        monkeypatch.setattr(resumption_handles, "VALID_S", 0.0)
        with pytest.raises(errors.APIError, match="session not found") as refused:
            async with calling(server, session_resumption=handle) as (_, heard):
                await the_end(heard)
        assert refused.value.code == 1008


async def test_a_message_is_refused_when_it_is_longer_than_allowed() -> None:
    async with (
        serving(Limits(message_bytes=1000)) as (server, _),
        calling(server) as (session, heard),
    ):
        await type_text(session, "x" * 1000)
        code, _ = await the_end(heard)
    assert code == 1009
