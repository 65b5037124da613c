"""The stream's samples are the clock: neither its speed nor its chunks make a difference."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from google.genai import types

from tests.local.live_clients import studio_client
from tests.local.live_talk import Heard, audio
from tests.local.recordings import silence, spoken
from vision_agent.local.engine.engine import LocalEngine
from vision_agent.local.server import LocalServer, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[LocalServer]:
    engine = await LocalEngine.start()
    server = await serve("127.0.0.1", 0, engine)
    yield server
    await server.close()
    await engine.close()


async def conversation(server: LocalServer, chunk_ms: int, speed: float) -> tuple[str, str, bytes]:
    """Ask two questions; returns both sides' transcripts and the sound of the answers."""
    config = types.LiveConnectConfig(
        response_modalities=["AUDIO"],
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
    )
    client = studio_client(server)
    async with (
        client.aio.live.connect(model="local", config=config) as session,
        Heard(session) as heard,
    ):
        for turn, name in enumerate(("hello", "what-do-you-see"), 1):
            pcm = spoken(name) + silence(900)
            for start in range(0, len(pcm), 32 * chunk_ms):
                await session.send_realtime_input(audio=audio(pcm[start : start + 32 * chunk_ms]))
                await asyncio.sleep(chunk_ms / 1000 / speed)
            await heard.until("turn_complete", turn, within_s=90)
    said = [m.server_content.input_transcription for m in heard.messages if m.server_content]
    return "|".join(t.text or "" for t in said if t), heard.captions, heard.sound


async def test_the_same_sound_gives_the_same_answers_at_any_speed_and_in_any_pieces(
    server: LocalServer,
) -> None:
    first, *others = await asyncio.gather(
        *(
            conversation(server, chunk_ms, speed)
            for chunk_ms, speed in ((20, 1.0), (20, 20.0), (100, 20.0), (100, 1.0))
        )
    )
    assert first[0] == "Hello.|What do you see?"
    assert "Hello!" in first[1]
    for again in others:
        assert again[:2] == first[:2]
        # The same words in the same voice take the same time.
        assert len(again[2]) == pytest.approx(len(first[2]), rel=0.01)
