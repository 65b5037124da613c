"""A recorded call plays in a browser: its duration, its frames, and from the middle on."""

from pathlib import Path

import pytest
from playwright.async_api import Browser
from starlette.staticfiles import StaticFiles

from tests.recordings.recording_here import Sent
from tests.support.encoding import encoded
from tests.support.serving_here import serving_here
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLAY = """async (source) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = source;
  const when = (event) => new Promise((resolve) => video.addEventListener(event, resolve));
  const failed = when("error").then(() => video.error.message);
  if (await Promise.race([when("loadedmetadata"), failed]) === video.error?.message)
    return video.error.message;
  document.body.append(video);
  video.currentTime = 3;
  await when("seeked");
  await video.play();
  while (video.currentTime < 3.5) await when("timeupdate");
  return [Math.round(video.duration), video.videoWidth, video.videoHeight];
}"""


async def recorded(folder: Path, codec: str, encoder: str, *, killed: bool = False) -> Path:
    """The recording of a five-second call."""
    folder.mkdir()
    sent = Sent(folder)
    sent.sound("caller", 0.0, 5.0)
    sent.sound("agent", 0.0, 5.0)
    sent.video("camera", 0.0, codec, encoded(encoder, 320, 240, 150), (320, 240))
    if not killed:
        sent.recording.end("over")
        await sent.recording.close()
        (found,) = folder.iterdir()
        return found / "call.mkv"
    # The file as it is while it is being written is what a kill leaves.
    await until(lambda: any(each.stat().st_size > 12_000 for each in folder.glob("*/call.mkv")))
    (found,) = folder.iterdir()
    left = folder.parent / "killed.mkv"
    left.write_bytes((found / "call.mkv").read_bytes())
    sent.recording.end("over")
    await sent.recording.close()
    return left


async def test_it_plays_from_the_middle_on_whatever_its_codec_and_its_end(
    quiet_browser: Browser, tmp_path: Path
):
    files = [
        await recorded(tmp_path / "vp8", "VP8", "libvpx"),
        await recorded(tmp_path / "h264", "H264", "libx264"),
        await recorded(tmp_path / "cut", "VP8", "libvpx", killed=True),
    ]
    async with serving_here(StaticFiles(directory=tmp_path)) as url:
        page = await quiet_browser.new_page()
        await page.goto(f"{url}/nothing")
        for file in files:
            played = await page.evaluate(PLAY, f"{url}/{file.relative_to(tmp_path)}")
            assert played == [5, 320, 240], file
        await page.close()
