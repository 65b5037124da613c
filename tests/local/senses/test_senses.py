"""The user's own servers for speech recognition and speech synthesis."""

from __future__ import annotations

import io
import logging
import re
import socket
import wave
from collections.abc import AsyncIterator
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import web
from google.genai import types

from tests.local.live_clients import studio_client
from tests.local.live_talk import Heard, type_text
from tests.local.recordings import silence, spoken
from tests.local.scripted_engine import ScriptedEngine
from tests.support.audio_server import AudioServer, audio_server
from tests.support.chat_server import chat_server
from vision_agent.local.brain.brain_engine import BrainEngine
from vision_agent.local.brain.failures import BrainFailure
from vision_agent.local.contract import Transcript, Turn
from vision_agent.local.engine.engine import LocalEngine
from vision_agent.local.engine.language.taught_names import TaughtNames
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.senses.ears import OwnRecognizer
from vision_agent.local.senses.speech_client import SpeechClient
from vision_agent.local.senses.voice_engine import VoiceEngine
from vision_agent.local.server import serve
from vision_agent.own_models import Brain, Ears, SpeechServer

TONE = (8000 * np.sin(np.arange(12_000) / 12)).astype("<i2")
"""Half a second at 24 kHz."""


@pytest.fixture
async def server() -> AsyncIterator[AudioServer]:
    async with audio_server() as running:
        yield running


def wav(samples: np.ndarray, rate_hz: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate_hz, 0, "NONE", ""))
        sound.writeframes(samples.tobytes())
    return file.getvalue()


def mp3(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=24_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = 24_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()


async def sound_of(server: AudioServer, **more: Any) -> bytes:
    client = SpeechClient(SpeechServer(server.url, **more))
    try:
        return b"".join([piece async for piece in client.say("Hello there.")])
    finally:
        await client.close()


async def test_a_sentence_is_asked_for_and_its_samples_are_said(server):
    server.says = TONE.tobytes()
    assert await sound_of(server, speaker="nova", key="secret") == TONE.tobytes()
    (asked,) = server.asked
    assert asked == {
        "input": "Hello there.",
        "model": "tiny",
        "voice": "nova",
        "response_format": "pcm",
    }


@pytest.mark.parametrize("file", ["wav", "mp3"])
async def test_a_server_that_sends_a_file_is_understood(server, file):
    if file == "wav":
        server.says = wav(TONE[::2], 12_000)
    else:
        server.says, server.kind = mp3(TONE), "audio/mpeg"
    samples = np.frombuffer(await sound_of(server), "<i2")
    assert abs(len(samples) - len(TONE)) < 3000  # MP3 pads
    middle = samples[len(samples) // 3 : len(samples) // 2].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(8000 / np.sqrt(2), rel=0.1)


async def test_a_server_without_a_list_of_models_is_asked_for_the_usual_one(server):
    server.says, server.lists = TONE.tobytes(), None
    await sound_of(server)
    assert server.asked[0]["model"] == "tts-1"


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        (web.Response(status=401), "", "does not accept my key"),
        (web.Response(status=500), "", "my voice at .* failed"),
        (web.json_response({"error": "no model x"}, status=404), "", "has no model"),
        (b"", "audio/pcm", "gave no sound"),
        (b"<html>", "text/html", "does not speak OpenAI's speech interface"),
        (b"RIFF and no more", "audio/wav", "broke off"),
    ],
)
async def test_what_a_voice_can_do_wrong_is_one_sentence(server, says, kind, words):
    server.says, server.kind = says, kind
    with pytest.raises(BrainFailure) as failed:
        await sound_of(server)
    assert re.search(words, failed.value.sentence)


async def test_a_voice_that_is_not_there_is_told_once_and_this_machines_speaks(caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    local = ScriptedEngine()
    engine = VoiceEngine(SpeechServer(url, "m"), local)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert [piece async for piece in engine.speak("It is red.", None, None)]
    assert [record.message for record in caplog.records if "voice" in record.message] != []
    assert len(caplog.records) == 1
    said = [part.text async for part in engine.answer(Turn(Transcript("hi")))]
    assert said[-1].endswith("nothing listens there. This machine's own voice speaks instead.")
    assert "instead" not in [part.text async for part in engine.answer(Turn(Transcript("hi")))][-1]
    await engine.close()


async def transcript(server: AudioServer, **more: Any) -> tuple[Transcript, str]:
    understanding = Understanding()
    recognizer = OwnRecognizer(Ears(server.url, **more), TaughtNames(), understanding)
    try:
        utterance = recognizer.begin()
        assert utterance is not None
        for _ in range(32):
            utterance.feed(bytes(1000))
        utterance.end()
        return await utterance.transcript(), recognizer.off
    finally:
        await recognizer.close()
        understanding.close()


async def test_an_utterance_is_sent_as_a_file_and_its_words_are_understood(server):
    server.hears = "  What do you\nsee? "
    heard, off = await transcript(server, key="secret")
    assert (heard.text, heard.understood, off) == ("What do you see?", True, "")
    assert server.heard == [(16_000, 1, bytes(32_000))]
    assert server.asked == [{"model": "tiny", "response_format": "json"}]
    assert server.headers[0]["authorization"] == "Bearer secret"
    assert not [name for name in server.headers[0] if name.startswith("x-stainless")]


@pytest.mark.parametrize(
    ("hears", "words"),
    [
        (web.Response(status=401), "does not accept my key"),
        (web.Response(status=502), "server of my hearing"),
        (web.json_response({"no": "text"}), "transcription interface"),
        (web.json_response({"error": "unknown model"}, status=404), "has no model tiny"),
    ],
)
async def test_what_ears_can_do_wrong_is_one_sentence(server, hears, words, caplog):
    server.hears = hears
    heard, off = await transcript(server)
    assert heard.lost
    assert words in off
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


async def test_a_whole_conversation_hears_thinks_and_speaks_with_servers_alone(server):
    server.hears, server.says = "What is the capital of France?", TONE.tobytes()
    async with chat_server() as chat:
        chat.answers = lambda request: ["It is Paris."]
        local = await LocalEngine.start(ears=Ears(server.url))
        engine = VoiceEngine(SpeechServer(server.url), BrainEngine(Brain(chat.url), local))
        running = await serve("127.0.0.1", 0, engine)
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            output_audio_transcription=types.AudioTranscriptionConfig(),
            input_audio_transcription=types.AudioTranscriptionConfig(),
        )
        try:
            async with (
                studio_client(running).aio.live.connect(model="local", config=config) as session,
                Heard(session) as heard,
            ):
                pcm = silence(500) + spoken("what-do-you-see") + silence(1200)
                for at in range(0, len(pcm), 3200):
                    await session.send_realtime_input(
                        audio=types.Blob(data=pcm[at : at + 3200], mime_type="audio/pcm;rate=16000")
                    )
                await heard.until("turn_complete")
                assert heard.captions == "It is Paris."
                assert heard.sound == TONE.tobytes()
                # A failure of the recognition is told in words, and typed text is still answered.
                server.hears = web.Response(status=500)
                for at in range(0, len(pcm), 3200):
                    await session.send_realtime_input(
                        audio=types.Blob(data=pcm[at : at + 3200], mime_type="audio/pcm;rate=16000")
                    )
                await heard.until("turn_complete", 2)
                assert "I can't hear you. The server of my hearing" in heard.captions
                await type_text(session, "And?")
                await heard.until("turn_complete", 3)
                assert heard.captions.endswith("It is Paris.")
        finally:
            await running.close()
            await engine.close()
    assert "What is the capital of France?" in str(chat.requests[0]["messages"][-1])
