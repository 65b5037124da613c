import asyncio
import math
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from tests.support.media_files import make_image, make_video
from tests.support.signals import silence, tone
from vision_agent.caller import tracks
from vision_agent.caller.recording import Recording
from vision_agent.caller.tracks import CameraTrack, MicrophoneTrack
from vision_agent.caller.utterances import Span

pytestmark = pytest.mark.usefixtures("every_frame", "every_packet")


def luma(frame: object) -> float:
    return float(np.frombuffer(frame.planes[0], np.uint8).mean())  # type: ignore[attr-defined]


async def test_the_camera_holds_its_first_frame_until_it_is_told_to_play(tmp_path: Path) -> None:
    recording = Recording.open(make_video(tmp_path / "v.mkv", fps=20, count=40, size=(64, 48)))
    camera = CameraTrack(recording)
    held = [luma(await camera.recv()) for _ in range(4)]
    camera.play()
    played = [luma(await camera.recv()) for _ in range(12)]
    camera.stop()
    assert held == [held[0]] * 4
    assert played[0] == pytest.approx(held[0], abs=1)
    assert played[-1] > held[0] + 6
    assert camera.frames_sent == 16


async def test_the_camera_keeps_the_recordings_time(bottle: Path) -> None:
    camera = CameraTrack(Recording.open(bottle))
    await camera.recv()
    camera.play()
    began = time.monotonic()
    stamps = [(await camera.recv()).pts for _ in range(16)]
    took_s = time.monotonic() - began
    camera.stop()
    # Fifteen frames at 29.83 fps are half a second: sooner would be a bug, later a busy machine.
    assert took_s > 0.45
    assert stamps == sorted(set(stamps))
    assert (stamps[-1] - stamps[0]) / 90_000 == pytest.approx(took_s, abs=0.1)


async def test_the_camera_goes_ahead_to_a_part_and_waits_at_its_end(tmp_path: Path) -> None:
    recording = Recording.open(make_video(tmp_path / "v.mkv", fps=10, count=60, size=(64, 48)))
    lumas = [luma(each.frame) for each in islice(recording.frames(), 60)]
    camera = CameraTrack(recording)

    async def shown(count: int) -> list[float]:
        return [luma(await camera.recv()) for _ in range(count)]

    def at(*numbers: int) -> list[float]:
        return [lumas[n] for n in numbers]

    await camera.recv()
    camera.play_part(2.0, 2.25)
    assert camera.is_ahead
    assert await shown(5) == at(20, 21, 22, 22, 22)
    assert not camera.is_ahead
    waiting = asyncio.create_task(shown(4))
    await asyncio.sleep(0)
    camera.play_part(4.0, math.inf)
    # The held frame is followed by the frames of the other part.
    assert (await waiting)[-3:] == at(40, 41, 42)
    camera.stop()


async def test_what_is_seen_is_sent_again_without_a_wait_for_the_next_frame(
    tmp_path: Path,
) -> None:
    recording = Recording.open(make_video(tmp_path / "v.mkv", fps=1, count=30, size=(64, 48)))
    camera = CameraTrack(recording)
    camera.play()
    first = await camera.recv()
    waiting = asyncio.create_task(camera.recv())
    began = time.monotonic()
    while not waiting.done():
        await asyncio.sleep(0.01)
        camera.show_again()
    assert time.monotonic() - began < 0.9
    assert luma(waiting.result()) == luma(first)
    camera.stop()


async def test_the_first_frame_is_there_before_anybody_receives_it(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", fps=20, count=3, size=(64, 48))
    recording = Recording.open(video)
    camera = CameraTrack(recording)
    await camera.ready()
    video.unlink()
    assert (await camera.recv()).width == 64
    camera.stop()
    gone = CameraTrack(recording)
    await gone.ready()
    assert "There is no file" in (gone.failure or "")
    with pytest.raises(MediaStreamError):
        await gone.recv()


async def test_a_still_image_is_sent_again_and_again(tmp_path: Path) -> None:
    camera = CameraTrack(Recording.open(make_image(tmp_path / "red.png")))
    camera.play()
    frames = [await camera.recv() for _ in range(3)]
    camera.stop()
    assert [(f.width, f.height) for f in frames] == [(32, 20)] * 3
    assert camera.failure is None


async def test_a_recording_that_vanishes_leaves_its_last_frame(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", fps=20, count=3, size=(64, 48))
    camera = CameraTrack(Recording.open(video))
    await camera.recv()
    camera.play()
    video.unlink()
    frames = [await camera.recv() for _ in range(8)]
    camera.stop()
    assert len(frames) == 8
    assert camera.failure is not None
    assert "There is no file" in camera.failure


async def test_a_stopped_track_ends() -> None:
    microphone = MicrophoneTrack()
    microphone.stop()
    with pytest.raises(MediaStreamError):
        await microphone.recv()


async def test_the_microphone_is_silent_before_and_after_what_it_says() -> None:
    microphone = MicrophoneTrack()
    before = (await microphone.recv()).to_ndarray()
    microphone.speak(tone(50), [Span(0, 50)])
    spoken = [(await microphone.recv()).to_ndarray().reshape(-1) for _ in range(4)]
    microphone.stop()
    assert not before.any()
    assert np.array_equal(np.concatenate(spoken)[: len(tone(50))], tone(50))
    assert not np.concatenate(spoken)[len(tone(50)) :].any()
    assert microphone.spoken_ms == 50


async def test_the_microphone_notes_when_each_utterance_left() -> None:
    microphone = MicrophoneTrack()
    sound = np.concatenate([silence(40), tone(60), silence(100), tone(40)])
    microphone.speak(sound, [Span(40, 100), Span(200, 240)])
    moments = []
    for _ in range(14):
        await microphone.recv()
        moments.append((len(microphone.started_at), len(microphone.ended_at)))
    microphone.stop()
    # A frame a row: 40 ms of silence, 60 of voice, 100 of silence, 40 of voice, silence.
    assert moments[:6] == [(0, 0), (0, 0), (1, 0), (1, 0), (1, 1), (1, 1)]
    assert moments[9:12] == [(1, 1), (2, 1), (2, 2)]
    assert microphone.ended_at[1] > microphone.started_at[1] > microphone.ended_at[0]


async def test_long_silence_may_be_sent_in_longer_packets_once_a_turn_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracks, "SILENCE_PACKET_MS", 120)
    microphone = MicrophoneTrack()
    lengths = [(await microphone.recv()).samples // 48]
    microphone.speak(tone(40), [Span(0, 40)])
    stamps = []
    for _ in range(56):
        frame = await microphone.recv()
        lengths.append(frame.samples // 48)
        stamps.append(frame.pts // 48)
    microphone.stop()
    assert lengths[0] == lengths[-1] == lengths[-2] == 120
    # What was said, and the second in which its turn ends.
    assert lengths[1:52] == [20] * 51
    assert stamps == [sum(lengths[: n + 1]) for n in range(56)]
