import asyncio
import itertools
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.rtc.calling import FrameSource, plain
from tests.rtc.frames import Played, video_frame
from tests.support.waiting import until
from vision_agent.rtc import Camera, Frame
from vision_agent.rtc.camera import to_thumbnail
from vision_agent.rtc.change_detector import TOKENS_PER_FRAME, ChangeDetector, difference


def grey(level: int = 90) -> np.ndarray:
    return np.full((24, 32, 3), level, np.uint8)


def noisy_room(n: int) -> np.ndarray:
    """A still scene with the noise of a cheap camera in the evening."""
    room = plain(90, 80, 70)
    room[120:200, 40:120] = (20, 60, 120)
    noise = np.random.default_rng(n).normal(0, 12, room.shape)
    return np.clip(room + noise, 0, 255).astype(np.uint8)


def with_cup(n: int) -> np.ndarray:
    room = noisy_room(n)
    room[100:140, 200:230] = (220, 220, 210)
    return room


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    return to_thumbnail(video_frame(pixels))


def test_a_cameras_noise_is_no_change_and_a_cup_is():
    still = difference(thumbnail(noisy_room(1)), thumbnail(noisy_room(2)))
    cup = difference(thumbnail(noisy_room(1)), thumbnail(with_cup(2)))
    assert still < 4
    assert cup > 30


def test_another_colour_is_a_change_though_it_is_as_bright():
    blue, green = plain(30, 60, 200), plain(54, 90, 56)  # of nearly the same brightness
    room = noisy_room(1)
    before, after = room.copy(), room.copy()
    before[100:140, 200:230], after[100:140, 200:230] = blue[0, 0], green[0, 0]
    assert difference(thumbnail(before), thumbnail(after)) > 30


def test_wandering_exposure_is_no_change_and_a_lamp_is():
    room = noisy_room(1).astype(int)
    assert difference(thumbnail(noisy_room(1)), thumbnail((room + 5).astype(np.uint8))) < 6
    assert difference(thumbnail(noisy_room(1)), thumbnail((room + 60).astype(np.uint8))) > 6


def test_what_changes_little_by_little_is_sent_once_it_has_changed_enough():
    detector = ChangeDetector(threshold=6, max_gap_s=1000)
    sent = []
    for second in range(40):
        moved = grey()
        moved[:12] += second  # half of the frame brightens slowly
        if detector.wants(moved, second, asked=False):
            sent.append(second)
    assert 3 <= len(sent) <= 8


@given(
    st.lists(st.tuples(st.integers(0, 255), st.booleans()), min_size=1, max_size=80),
    st.floats(1, 20),
)
def test_never_is_nothing_sent_for_longer_than_the_set_time(frames, max_gap_s):
    detector = ChangeDetector(threshold=6, max_gap_s=max_gap_s)
    sent = [
        at_s
        for at_s, (level, asked) in enumerate(frames)
        if detector.wants(grey(level), float(at_s), asked=asked)
    ]
    assert sent[0] == 0
    assert all(b - a <= max_gap_s + 1 for a, b in itertools.pairwise([*sent, len(frames)]))
    assert len(sent) + detector.skipped == len(frames)
    assert detector.tokens_saved == detector.skipped * TOKENS_PER_FRAME
    asked_for = {at_s for at_s, (_, asked) in enumerate(frames) if asked}
    assert asked_for <= set(sent)


async def test_of_a_still_scene_the_camera_sends_the_first_frame_and_then_hardly_any():
    frames: list[Frame] = []
    detector = ChangeDetector(max_gap_s=1000)
    track = Played([video_frame(noisy_room(n), n * 90_000) for n in range(20)], 0.01)
    camera = Camera(frames.append, changes=detector)
    await camera.run(track)
    assert len(frames) == 1
    assert detector.skipped + camera.replaced == 19


async def test_what_appears_is_sent_and_so_is_that_it_is_gone():
    frames: list[Frame] = []
    shown = [noisy_room] * 5 + [with_cup] * 5 + [noisy_room] * 5
    track = Played([video_frame(show(n), n * 90_000) for n, show in enumerate(shown)], 0.02)
    await Camera(frames.append, changes=ChangeDetector(max_gap_s=1000)).run(track)
    assert len(frames) == 3


async def test_a_frame_that_is_asked_for_comes_however_alike_and_is_fresh(call):
    frames: list[Frame] = []
    camera = Camera(frames.append, changes=ChangeDetector(max_gap_s=1000))
    call.caller.addTrack(FrameSource(lambda n: plain(90, 80, 70), fps=4))
    await call.connect()
    call.run(camera.run(call.listener.cameras[0]))
    await until(lambda: frames)
    await asyncio.sleep(2.2)
    assert len(frames) == 1
    asked_at = time.monotonic()
    camera.force_frame()
    await until(lambda: len(frames) == 2, 5)
    assert frames[1].captured_at > asked_at - 0.3


async def test_every_decoded_frame_is_shown_to_who_watches():
    seen: list[float] = []
    track = Played([video_frame(noisy_room(n), n * 9_000) for n in range(30)])
    await Camera(lambda frame: None, on_decoded=lambda frame, at_s: seen.append(at_s)).run(track)
    assert len(seen) == 30
    assert seen == sorted(seen)
