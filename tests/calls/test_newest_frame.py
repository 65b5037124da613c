import asyncio

import numpy as np

from tests.rtc.calling import plain
from tests.rtc.frames import video_frame
from tests.support.forked import run_forked
from vision_agent.calls.newest_frame import NewestFrame, PeerFrame

# Several threads read the same frames, as a camera and watches do. It runs in its own process,
# because a race between them would crash it.
LOOK = """
from concurrent.futures import ThreadPoolExecutor
from av import VideoFrame
import numpy as np
from vision_agent.calls.newest_frame import PeerFrame
from vision_agent.rtc.camera import frame_to_jpeg, to_thumbnail

noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
with ThreadPoolExecutor(4) as threads:
    for n in range(60):
        frame = VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
        seen = PeerFrame(frame, 0.0)
        looks = [threads.submit(seen.pixels, size) for size in (640, 1280, 320)]
        looks += [threads.submit(lambda f: (to_thumbnail(f), frame_to_jpeg(f, 768, 40_000)), frame)]
        for look in looks:
            look.result()
print("all seen")
"""


def test_many_threads_may_look_at_one_frame(tmp_path):
    (tmp_path / "look.py").write_text(LOOK)
    looking = run_forked("look", cwd=tmp_path)
    assert looking.returncode == 0, looking.stderr
    assert looking.stdout == "all seen\n"


def test_a_frame_is_shrunk_but_never_enlarged_and_keeps_its_colours():
    seen = PeerFrame(video_frame(plain(220, 20, 30, 640, 480)), 1.5)
    assert seen.pixels(320).shape == (240, 320, 3)
    assert seen.pixels(4000).shape == (480, 640, 3)
    blue, green, red = seen.pixels(64).reshape(-1, 3).mean(axis=0)
    assert np.allclose((red, green, blue), (220, 20, 30), atol=8)


async def test_who_waits_gets_the_next_frame_that_fits():
    frames = NewestFrame()
    assert await frames.next(0, 0.01) is None
    larger = asyncio.create_task(frames.next(1, 5, larger_than_px=100))
    await asyncio.sleep(0)
    for at_s, size in ((1.0, 640), (2.0, 64), (3.0, 128)):
        frames.take(video_frame(plain(9, 9, 9, size, size)), at_s)
        await asyncio.sleep(0)
    found = await larger
    assert found is not None
    assert (found.captured_at_s, found.width) == (3.0, 128)
