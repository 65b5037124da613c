import asyncio
import itertools
import threading
import time

import av
import cv2
import numpy as np
import pytest

from tests.rtc.calling import Call, FrameSource, moving_frame, plain
from tests.rtc.frames import Played, video_frame
from tests.support.waiting import until
from vision_agent.rtc import Camera, Frame
from vision_agent.rtc.camera import fitting, frame_to_jpeg


def decoded(frame: Frame) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    return pixels[:, :, ::-1]  # RGB


async def watch(call: Call, source: FrameSource, **options) -> tuple[Camera, list[Frame]]:
    frames: list[Frame] = []
    camera = Camera(frames.append, **options)
    call.caller.addTrack(source)
    await call.connect()
    call.run(camera.run(call.listener.cameras[0]))
    return camera, frames


def decoded_by_thread(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the frames that VP8 decoders get: 0 for a key frame, 1 for a delta frame."""
    from vision_agent.rtc.own.aiortc.codecs.vpx import Vp8Decoder

    given: list[int] = []
    decode = Vp8Decoder.decode

    def counting(self, encoded_frame):
        given.append(encoded_frame.data[0] & 1)
        return decode(self, encoded_frame)

    monkeypatch.setattr(Vp8Decoder, "decode", counting)
    return given


async def test_a_30_fps_sender_is_sampled_once_a_second_and_nothing_else_is_decoded(
    call, monkeypatch
):
    given = decoded_by_thread(monkeypatch)
    source = FrameSource(fps=30)
    _, frames = await watch(call, source)
    await until(lambda: len(frames) >= 2)
    began, had, had_given, had_sent = time.monotonic(), len(frames), len(given), source.sent
    await asyncio.sleep(4)
    got, elapsed = len(frames) - had, time.monotonic() - began
    assert 2 <= got <= elapsed + 1
    # The caller's own decoders add nothing: no video is sent back.
    assert len(given) - had_given <= got + 1
    assert all(delta == 0 for delta in given[had_given:])
    assert source.sent - had_sent > 60


async def test_a_2_fps_sender_is_decoded_whole_and_sampled_once_a_second(call, monkeypatch):
    given = decoded_by_thread(monkeypatch)
    source = FrameSource(fps=2)
    _, frames = await watch(call, source)
    await until(lambda: len(frames) >= 3)
    began, had = time.monotonic(), len(frames)
    await asyncio.sleep(4)
    assert 2 <= len(frames) - had <= time.monotonic() - began + 1
    assert len(given) >= source.sent - 2
    assert sum(delta == 0 for delta in given) <= 2


@pytest.mark.parametrize("fps", [30, 4])
async def test_looking_gives_one_fresh_frame_soon(call, fps):
    camera, frames = await watch(call, FrameSource(fps=fps), rate_hz=0.1)
    await until(lambda: len(frames) == 1)
    await asyncio.sleep(1)
    assert len(frames) == 1
    asked_at = time.monotonic()
    camera.force_frame()
    await until(lambda: len(frames) == 2, 3)
    assert frames[1].captured_at > asked_at - 0.3
    assert time.monotonic() - asked_at < 1.5
    await asyncio.sleep(0.7)
    assert len(frames) == 2


async def test_a_track_that_no_camera_watches_is_never_decoded(call, monkeypatch):
    given = decoded_by_thread(monkeypatch)
    source = FrameSource(fps=30)
    call.caller.addTrack(source)
    await call.connect()
    await until(lambda: source.sent > 60)
    assert given == []
    assert call.listener.cameras[0]._queue.qsize() == 0


@pytest.mark.parametrize(("red", "green", "blue"), [(220, 20, 20), (20, 20, 220), (20, 200, 20)])
async def test_colours_survive_the_way_through_vp8_and_jpeg(call, red, green, blue):
    source = FrameSource(lambda n: plain(red, green, blue), fps=10)
    _, frames = await watch(call, source)
    await until(lambda: frames)
    middle = decoded(frames[0])[100:140, 140:180].reshape(-1, 3).mean(axis=0)
    assert middle == pytest.approx([red, green, blue], abs=25)


async def test_a_large_frame_arrives_at_768_pixels_and_within_40_kb(call):
    dice = np.random.default_rng(0)
    texture = cv2.resize(
        dice.integers(0, 255, (36, 64, 3), np.uint8), (1280, 720), interpolation=cv2.INTER_LINEAR
    )
    _, frames = await watch(call, FrameSource(lambda n: texture, fps=5))
    await until(lambda: frames, 15)
    assert (frames[0].width, frames[0].height) == (768, 432)
    assert len(frames[0].jpeg) <= 40_000
    assert decoded(frames[0]).shape == (432, 768, 3)


def test_a_frame_of_pure_noise_is_made_small_enough_by_quality_and_then_by_size():
    noise = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)
    jpeg, width, height = frame_to_jpeg(video_frame(noise), 768, 40_000)
    assert len(jpeg) <= 40_000
    assert width / height == pytest.approx(16 / 9, rel=0.02)
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (height, width, 3)


def test_small_frames_are_not_enlarged_and_tall_ones_are_measured_by_height():
    assert fitting(320, 240, 768) == (320, 240)
    assert fitting(1280, 720, 768) == (768, 432)
    assert fitting(720, 1280, 768) == (432, 768)
    assert fitting(4000, 10, 768) == (768, 2)


async def test_the_rate_is_kept_on_the_media_clock():
    frames: list[Frame] = []
    small = plain(9, 9, 9, 64, 64)
    # 10 s of frames within half a second, slowly enough for each to be converted.
    track = Played([video_frame(small, n * 9000) for n in range(100)], pause_s=0.005)
    await Camera(frames.append).run(track)
    assert 9 <= len(frames) <= 10


async def test_while_a_frame_is_converted_the_newest_waits_and_older_ones_are_given_up(
    monkeypatch,
):
    def slow(frame: av.VideoFrame, max_px: int, max_bytes: int) -> tuple[bytes, int, int]:
        time.sleep(0.2)
        return frame_to_jpeg(frame, max_px, max_bytes)

    monkeypatch.setattr("vision_agent.rtc.camera.frame_to_jpeg", slow)
    frames: list[Frame] = []
    camera = Camera(frames.append, rate_hz=1000)
    track = Played([video_frame(plain(2 * n, 9, 9, 64, 64), n * 9000) for n in range(100)], 0.01)
    await camera.run(track)
    assert 4 <= len(frames) <= 9
    assert camera.replaced >= 80
    assert camera.sent == len(frames)
    reds = [decoded(frame)[32, 32, 0] for frame in frames]
    assert reds == sorted(reds)
    for earlier, later in itertools.pairwise(frames):
        assert later.captured_at > earlier.captured_at + 0.1


async def test_the_event_loop_is_not_held_while_a_frame_is_converted():
    gaps, last = [], time.monotonic()
    big = [video_frame(np.zeros((1080, 1920, 3), np.uint8), n * 90_000) for n in range(10)]
    running = asyncio.ensure_future(Camera(lambda frame: None).run(Played(big, 0.02)))
    while not running.done():
        await asyncio.sleep(0.001)
        gaps.append(time.monotonic() - last)
        last = time.monotonic()
    await running
    assert sorted(gaps)[len(gaps) // 2] < 0.02


async def test_a_failing_consumer_ends_the_run():
    def failing(frame: Frame) -> None:
        raise LookupError("nobody there")

    track = Played([video_frame(moving_frame(n), n * 90_000) for n in range(50)], 0.01)
    with pytest.raises(LookupError, match="nobody there"):
        await asyncio.wait_for(Camera(failing).run(track), 5)


class Held(Played):
    """A track of frames that does not end after the last one."""

    async def recv(self) -> av.VideoFrame:
        if not self.frames:
            await asyncio.Event().wait()
        return await super().recv()


async def test_what_fails_ends_the_run_though_the_next_frame_was_chosen_at_once(monkeypatch):
    def broken(*_: object) -> None:
        raise LookupError("no such picture")

    monkeypatch.setattr("vision_agent.rtc.camera.frame_to_jpeg", broken)
    track = Held([video_frame(moving_frame(n), n * 90_000) for n in range(3)])
    before = set(asyncio.all_tasks())
    with pytest.raises(LookupError, match="no such picture"):
        await asyncio.wait_for(Camera(lambda frame: None).run(track), 5)
    assert set(asyncio.all_tasks()) == before


async def test_frames_of_a_sender_whose_clock_runs_fast_are_sent_at_a_bounded_rate(call: Call):
    class Fast(FrameSource):
        async def recv(self) -> av.VideoFrame:
            frame = await super().recv()
            frame.pts = self.sent * 90_000  # a second from frame to frame
            return frame

    source = Fast(fps=10)
    camera, frames = await watch(call, source)
    await until(lambda: source.sent >= 40)
    assert 2 <= len(frames) <= 5 + 2 * 5 + 1
    assert camera.sent == len(frames)


async def test_the_run_ends_with_the_call_and_its_thread_with_it(call: Call):
    frames: list[Frame] = []
    call.caller.addTrack(FrameSource(fps=30))
    peer = await call.connect()
    running = asyncio.ensure_future(Camera(frames.append).run(call.listener.cameras[0]))
    await until(lambda: frames)
    await peer.close()
    await asyncio.wait_for(running, 2)
    assert not [t.name for t in threading.enumerate() if t.name.startswith("camera-jpeg")]


async def test_a_run_that_is_cancelled_twice_leaves_no_thread_behind(call: Call):
    frames: list[Frame] = []
    call.caller.addTrack(FrameSource())
    await call.connect()
    running = asyncio.create_task(Camera(frames.append).run(call.listener.cameras[0]))
    await until(lambda: frames, what="a picture")
    running.cancel()
    await asyncio.sleep(0)  # it waits for the reading task to end
    running.cancel()
    await asyncio.wait([running])
    await until(lambda: not any("camera-jpeg" in t.name for t in threading.enumerate()))


async def test_looking_before_there_is_a_track_is_remembered():
    frames: list[Frame] = []
    camera = Camera(frames.append)
    camera.force_frame()
    await camera.run(
        Played([video_frame(plain(9, 9, 9), 0), video_frame(plain(9, 9, 9), 3000)], 0.05)
    )
    assert len(frames) == 1
