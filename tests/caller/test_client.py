"""A call from Python, with real files of every kind."""

import asyncio
import re
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import serving
from tests.support.answering_server import Behaviour, answering_server
from tests.support.dialling import TEXT
from tests.support.forked import run_forked
from tests.support.media_files import write_frames
from tests.support.scenarios import ASKS_FOR_A_COLOUR, TONES
from tests.support.serving_here import serving_here
from tests.support.signals import tone
from tests.support.waiting import until
from vision_agent import CallClient, CallFailed, Settings, create_app
from vision_agent.caller.recording import SOUND_RATE_HZ, Recording, read_sound
from vision_agent.caller.utterances import utterances
from vision_agent.replay import BadRecording

SOUND = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac"}
VIDEO = {
    "mp4": ("libx264", "aac"),
    "webm": ("libvpx", "libopus"),
    "mkv": ("mpeg4", "flac"),
}


def write_sound(path: Path, samples: np.ndarray, codec: str) -> Path:
    with av.open(str(path), "w") as container:
        _add_sound(
            container, container.add_stream(codec, rate=SOUND_RATE_HZ, layout="mono"), samples
        )
    return path


def _add_sound(container, stream, samples: np.ndarray) -> None:
    resampler = av.AudioResampler(
        format=stream.codec_context.codec.audio_formats[0].name, layout="mono", rate=SOUND_RATE_HZ
    )
    fifo = av.AudioFifo()
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE_HZ, 0, Fraction(1, SOUND_RATE_HZ)
    for piece in resampler.resample(frame):
        fifo.write(piece)
    while piece := fifo.read(stream.codec_context.frame_size or 1024, partial=True):
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def write_video(path: Path, rgb: np.ndarray, samples: np.ndarray, codecs: tuple[str, str]) -> Path:
    """Two seconds of one frame at 10 fps, with a sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codecs[0], rate=10)
        video.width, video.height, video.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
        video.codec_context.thread_count = 1  # more of libvpx's spin
        audio = container.add_stream(codecs[1], rate=SOUND_RATE_HZ, layout="mono")
        for n in range(20):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        _add_sound(container, audio, samples)
    return path


def card(red: int, green: int, blue: int) -> np.ndarray:
    """A card of one colour in front of grey."""
    card = np.full((360, 480, 3), 128, np.uint8)
    card[60:300, 120:360] = (red, green, blue)
    return card


@pytest.fixture
def question(recordings: Path) -> np.ndarray:
    return read_sound(recordings / "speech" / "what-colour-is-this.wav")


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_file_is_read_whole(kind: str, question: np.ndarray, tmp_path: Path) -> None:
    sound = read_sound(write_sound(tmp_path / f"q.{kind}", question, SOUND[kind]))
    assert abs(len(sound) - len(question)) < SOUND_RATE_HZ / 10
    assert len(utterances(sound, SOUND_RATE_HZ)) == len(utterances(question, SOUND_RATE_HZ))


@pytest.mark.parametrize("kind", VIDEO)
def test_a_video_file_has_its_frames_and_its_sound(kind, question, tmp_path: Path) -> None:
    path = write_video(tmp_path / f"v.{kind}", card(200, 30, 30), question, VIDEO[kind])
    recording = Recording.open(path)
    assert (recording.has_video, recording.has_sound, recording.still) == (True, True, False)
    assert len(utterances(recording.sound(), SOUND_RATE_HZ)) == 1
    pixels = next(recording.frames()).frame.to_ndarray(format="rgb24")
    red, green, blue = pixels[180, 240].astype(int)
    assert red > 150
    assert max(green, blue) < 90


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_an_image_is_a_camera_that_stands_still(kind: str, tmp_path: Path) -> None:
    recording = Recording.open(write_frames(tmp_path / f"i.{kind}", [card(30, 30, 200)]))
    assert (recording.has_video, recording.still) == (True, True)
    assert next(recording.frames()).frame.to_ndarray(format="rgb24")[180, 240, 2] > 150


@pytest.mark.timeout(400)
async def test_one_call_is_shown_video_images_and_frames_and_asked_by_sound_pcm_and_text(
    question: np.ndarray, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "v.webm", card(200, 30, 30), question, VIDEO["webm"])
    image = write_frames(tmp_path / "i.png", [card(30, 30, 200)])
    sound = write_sound(tmp_path / "q.mp3", question, SOUND["mp3"])
    async with serving("--scenario", str(ASKS_FOR_A_COLOUR)) as server:
        async with CallClient(server.url, show=video, asked=TEXT) as call:
            by_sound = await call.say(sound)
            assert "red" in by_sound.text.lower()
            assert not len(by_sound.voice)
            await call.show(image)
            by_text = await call.type("What colour is this?")
            assert "blue" in by_text.text.lower()
            assert not len(by_text.voice)
            await call.show(card(20, 160, 40))
            by_pcm = await call.say(question.tobytes(), rate_hz=SOUND_RATE_HZ)
            assert "green" in by_pcm.text.lower()
            with pytest.raises(BadRecording, match="Nothing is said"):
                await call.say(bytes(32_000))
            with pytest.raises(BadRecording, match="no file"):
                await call.show(tmp_path / "nothing.png")
            with pytest.raises(ValueError, match="RGB"):
                await call.show(np.zeros((4, 4), np.uint8))
            with pytest.raises(CallFailed, match="at most 4000"):
                await call.type("a" * 5_000)
            assert [who for who, _ in call.transcript] == [
                "user",
                "agent",
                "agent",
                "user",
                "agent",
            ]
        async with CallClient(server.url, asked={"voice": "Kore"}) as call:
            answer = await call.say(sound)
            assert "no picture" in answer.text.lower()
            assert answer.reply_ms is not None
            assert np.abs(answer.voice).max() > 1000


async def test_a_server_that_detects_no_speech_is_told_when_the_caller_speaks() -> None:
    ready = {"version": "2.1.0", "about": {"voice_activity_detection": False}}
    async with answering_server(Behaviour(ready=ready)) as server:
        async with CallClient(server.url, timeout_s=20) as call:
            answer = await call.say(tone(500).tobytes(), rate_hz=SOUND_RATE_HZ)
        said = server.calls[0].received
    assert answer.text == "I hear you."
    switched = [message["message"] for message in said if message["type"] == "signalling"]
    assert [one["enabled"] for one in switched if one["type"] == "trackStatus"] == [
        False, True, False,
    ]  # fmt: skip


async def test_an_answer_that_follows_a_cut_in_at_once_is_not_that_which_was_cut_off() -> None:
    async with (
        answering_server(Behaviour(answers=False)) as server,
        CallClient(server.url, timeout_s=20) as caller,
    ):
        (call,) = server.calls

        def typed() -> list[str]:
            return [m["data"]["content"] for m in call.received if m["type"] == "send-text"]

        story = asyncio.create_task(caller.type("Tell me a story."))
        await until(typed)
        call.say("bot-tts-text", text="Once upon a time")
        call.voice.pending = 500
        await until(lambda: call.voice.pending < 470)
        asked = asyncio.create_task(caller.type("Stop."))
        await until(lambda: len(typed()) == 2)
        call.voice.pending = 0
        call.say("server-message", kind="interrupted", heard="Once upon")
        call.say("bot-transcription", text="Once upon …")
        await until(lambda: call.voice.pending < -5)
        call.voice.pending = 25
        call.say("bot-tts-text", text="As you like.")
        call.say("bot-transcription", text="As you like.")
        call.say("server-message", kind="turn_complete")
        answer = await asked
        await story
    assert answer.text == "As you like."
    assert answer.reply_ms is not None
    assert SOUND_RATE_HZ * 0.4 < len(answer.voice) < SOUND_RATE_HZ  # of 1.2 s and more


async def test_what_was_shown_before_does_not_count_as_seen(monkeypatch) -> None:
    # On a busy machine the frames take a while, and `show` would no longer wait for them.
    monkeypatch.setattr("vision_agent.caller.client._SEEN_S", 60.0)

    def seen(age_ms: int) -> dict[str, object]:
        return {"kind": "frame", "bytes": 900, "width": 64, "height": 48, "age_ms": age_ms}

    async with (
        answering_server() as server,
        CallClient(server.url, show=np.full((48, 64, 3), 220, np.uint8), timeout_s=20) as caller,
    ):
        (call,) = server.calls
        began_s = time.monotonic()
        showing = asyncio.create_task(caller.show(np.full((48, 64, 3), 20, np.uint8)))
        # The server reports the bright frame that it had received.
        call.say("server-message", **seen(0))
        await until(lambda: call.frame_lumas and call.frame_lumas[-1] < 100)
        call.say("server-message", **seen(2_000 + round(1000 * (time.monotonic() - began_s))))
        call.say("server-message", **seen(0), source="screen")
        call.say("user-transcription", text="And now?", final=True)
        await until(lambda: caller.transcript)  # what was sent before has arrived
        assert not showing.done()
        call.say("server-message", **seen(0))
        await showing


@pytest.mark.timeout(300)
def test_the_example_of_the_documentation_runs(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/client.md").read_text(), re.S)
    (tmp_path / "samples").symlink_to(root / "samples")
    (tmp_path / "example.py").write_text(block)
    done = run_forked("example", cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Agent:") == 2
    assert "red" in done.stdout.splitlines()[-1].lower()
    assert (tmp_path / "answer.wav").stat().st_size > 48_000


async def test_a_line_that_is_typed_while_the_call_moves_is_answered_in_the_next(tmp_path):
    settings = Settings(
        _env_file=None, scenario=TONES, session_db=f"sqlite:///{tmp_path}/sessions.db"
    )
    app = create_app(settings)
    moves = partial(app.state.registry.close, "the server is restarting", come_back=True)
    async with (
        app.router.lifespan_context(app),
        serving_here(app) as url,
        CallClient(url, timeout_s=15) as client,
    ):
        # The first line of the conversation, which is still empty.
        asking = asyncio.create_task(client.type("hello"))
        await moves()
        assert (await asking).text == "Hello."
        # Before the end of the call, and after it but before the client knows.
        for early_s in (0.0, 0.05):
            asking = asyncio.create_task(client.type("hello"))
            await asyncio.sleep(early_s)
            await moves()
            assert (await asking).text == "Hello."
            moving = asyncio.create_task(moves())
            await asyncio.sleep(early_s)
            assert (await client.type("hello")).text == "Hello."
            await moving
