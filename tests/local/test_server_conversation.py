"""Whole conversations with the real engine: speech and frames in, speech out."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import pytest_asyncio
from google.genai import live, types

from tests.local.engine.sight.sight_scenes import held_up, textured, wall
from tests.local.live_clients import MODEL_2, MODEL_3, studio_client
from tests.local.live_talk import QUIET, Heard, audio, send_sound
from vision_agent.local.engine.engine import LocalEngine
from vision_agent.local.server import serve

BOTH = pytest.mark.parametrize("model", [MODEL_2, MODEL_3])
RECORDINGS = Path(__file__).parents[2] / "samples" / "recordings"

Connect = Callable[..., AbstractAsyncContextManager[live.AsyncSession]]


# The tests share an engine.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def talking(data_dir: Path) -> AsyncIterator[Connect]:
    """Yields a function that opens sessions with an engine of their own."""
    engine = await LocalEngine.start(data_dir)
    server = await serve("127.0.0.1", 0, engine)
    client = studio_client(server)

    def connect(model: str = MODEL_2, **config: Any) -> AbstractAsyncContextManager[Any]:
        wanted = types.LiveConnectConfig(
            response_modalities=["AUDIO"],
            input_audio_transcription=types.AudioTranscriptionConfig(),
            output_audio_transcription=types.AudioTranscriptionConfig(),
            **config,
        )
        return client.aio.live.connect(model=model, config=wanted)

    yield connect
    await server.close()
    await engine.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connect(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Connect]:
    async with talking(tmp_path_factory.mktemp("taught")) as connect:
        yield connect


async def ask(session: live.AsyncSession, question: str, *, then_silent: bool = True) -> None:
    """Play a recorded question, and then a second of silence."""
    with wave.open(str(RECORDINGS / "speech" / f"{question.replace(' ', '-')}.wav")) as recording:
        assert (recording.getframerate(), recording.getnchannels()) == (16_000, 1)
        spoken = recording.readframes(recording.getnframes())
    for start in range(0, len(spoken), 640):
        await session.send_realtime_input(audio=audio(spoken[start : start + 640]))
    if then_silent:
        await send_sound(session, QUIET, 50)


def jpeg(frame: np.ndarray[Any, Any]) -> types.Blob:
    done, data = cv2.imencode(".jpg", frame)
    assert done
    return types.Blob(data=data.tobytes(), mime_type="image/jpeg")


def bottle() -> types.Blob:
    with av.open(str(RECORDINGS / "bottle.mp4")) as recording:
        frame = next(recording.decode(video=0))
        return jpeg(frame.to_ndarray(format="bgr24"))


def card(bgr: tuple[int, int, int]) -> types.Blob:
    """A card held in front of a grey wall."""
    frame = np.full((480, 640, 3), 190, np.uint8)
    frame[90:390, 170:470] = bgr
    return jpeg(frame)


def transcript(heard: Heard) -> str:
    return "".join(
        message.server_content.input_transcription.text or ""
        for message in heard.messages
        if message.server_content and message.server_content.input_transcription
    )


def loudness(pcm: bytes) -> float:
    return float(np.abs(np.frombuffer(pcm, np.int16).astype(float)).mean())


@BOTH
async def test_what_do_you_see(connect: Connect, model: str) -> None:
    async with connect(model) as session, Heard(session) as heard:
        await session.send_realtime_input(video=bottle())
        await ask(session, "what do you see")
        await heard.until("turn_complete", within_s=60)
    assert "what do you see" in transcript(heard).lower()
    assert [kind for kind in heard.order if kind != "caption"] == [
        "heard",
        "audio",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert heard.captions
    assert len(heard.sound) > 24_000  # half a second
    assert loudness(heard.sound) > 100


@pytest_asyncio.fixture(loop_scope="module")
async def connect_to_teach(tmp_path: Path) -> AsyncIterator[Connect]:
    """Connects to a separate engine: that of other tests must not know what is taught here."""
    async with talking(tmp_path) as connect:
        yield connect


async def test_a_thing_is_taught_aloud_and_known_again_in_the_next_call(
    connect_to_teach: Connect,
) -> None:
    connect = connect_to_teach
    mug = jpeg(held_up(textured(1), wall()))
    async with connect() as session, Heard(session) as heard:
        await session.send_realtime_input(video=mug)
        await ask(session, "this is my mug")
        await heard.until("turn_complete", within_s=60)
    assert "your mug" in heard.captions
    async with connect() as session, Heard(session) as heard:
        await session.send_realtime_input(video=jpeg(held_up(textured(1), wall(4), turn_deg=8.0)))
        await ask(session, "what is this")
        await heard.until("turn_complete", within_s=60)
    assert "That is your mug" in heard.captions


async def test_the_newest_frame_is_the_one_that_is_asked_about(connect: Connect) -> None:
    async with connect() as session, Heard(session) as heard:
        await session.send_realtime_input(video=card((30, 30, 200)))
        await session.send_realtime_input(video=card((200, 60, 20)))
        await session.send_realtime_input(text="What colour is this?")
        await heard.until("generation_complete", within_s=60)
    assert "blue" in heard.captions.lower()
    assert "red" not in heard.captions.lower()


async def test_speech_cuts_in_and_is_answered(connect: Connect) -> None:
    async with connect() as session, Heard(session) as heard:
        await session.send_realtime_input(video=bottle())
        await session.send_realtime_input(text="What do you see?")
        await heard.until("audio", within_s=60)
        before = heard.captions
        await ask(session, "hello")
        await heard.until("turn_complete", 2, within_s=60)
    assert heard.count("interrupted") == 1
    after = heard.order[heard.order.index("interrupted") :]
    assert after[:3] == ["interrupted", "usage_metadata", "turn_complete"]
    assert [kind for kind in after[3:] if kind != "caption"] == [
        "heard",
        "audio",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert len(heard.captions) > len(before)


async def test_two_questions_in_a_row(connect: Connect) -> None:
    async with connect() as session, Heard(session) as heard:
        await session.send_realtime_input(video=card((30, 30, 200)))
        await ask(session, "hello")
        await heard.until("turn_complete", within_s=60)
        await ask(session, "what colour is this")
        await heard.until("generation_complete", 2, within_s=60)
    assert "interrupted" not in heard.order
    assert "red" in heard.captions.lower()


async def test_the_client_signals_when_the_caller_speaks(connect: Connect) -> None:
    manual = types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(disabled=True)
    )
    async with connect(realtime_input_config=manual) as session, Heard(session) as heard:
        await session.send_realtime_input(video=card((30, 30, 200)))
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await ask(session, "what colour is this")
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        await heard.until("generation_complete", within_s=60)
    assert "red" in heard.captions.lower()


async def test_closing_the_microphone_ends_the_question(connect: Connect) -> None:
    async with connect() as session, Heard(session) as heard:
        await session.send_realtime_input(video=card((30, 30, 200)))
        await ask(session, "what colour is this", then_silent=False)
        await session.send_realtime_input(audio_stream_end=True)
        await heard.until("generation_complete", within_s=60)
    assert "red" in heard.captions.lower()


async def test_the_agents_own_tool_is_called_and_its_answer_spoken(connect: Connect) -> None:
    weather = types.FunctionDeclaration(
        name="get_weather",
        description="Get the weather in a city.",
        parameters_json_schema={
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    )
    tools = [types.Tool(function_declarations=[weather])]
    async with connect(MODEL_3, tools=tools) as session, Heard(session) as heard:
        await session.send_realtime_input(text="Get the weather in Graz")
        called = await heard.until("tool_call", within_s=60)
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        assert (call.name, call.args) == ("get_weather", {"city": "Graz"})
        await session.send_tool_response(
            function_responses=types.FunctionResponse(
                id=call.id, name=call.name, response={"result": "sunny and warm"}
            )
        )
        # 3.8 does not wait for a tool: the turn with the call ends, and a later one has the result.
        await heard.until_true(lambda: "sunny" in heard.captions.lower(), within_s=60)
