"""Debian's Chromium, driven by Playwright, with a camera and a microphone that play recordings.

Where it is installed, Chromium's headless shell shows the pages: the same engine for pages, media
and WebRTC without the browser around it, which costs two thirds of the time to open one. Tests of
permission prompts and of the screen's wake lock need the whole browser.
"""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Playwright

from tests.browser.fake_devices import CAMERA_FPS

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    # Chromium sends no requests of its own.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    # Over plain HTTP this name, unlike `localhost`, is no secure context.
    "--host-resolver-rules=MAP agent.test 127.0.0.1",
]


@asynccontextmanager
async def chromium(
    playwright: Playwright,
    *,
    camera: Path | None = None,
    microphone: Path | None = None,
    cameras: int = 1,
    allow_devices: bool | None = True,
    executable: Path | None = None,
    more_flags: Sequence[str] = (),
) -> AsyncIterator[Browser]:
    """A browser with a fresh profile.

    Args:
        playwright: What drives it.
        camera: YUV4MPEG2 or Motion JPEG that the camera shows; None for Chromium's test pattern.
        microphone: WAV that the microphone captures, looped; None for Chromium's beeps.
        cameras: How many there are.
        allow_devices: The answer to permission prompts. None: a context may use only what it was
            granted; the headless shell knows no grants, so this takes the whole browser.
        executable: The program to start; None for the installed browser.
        more_flags: Further flags of Chromium's.
    """
    # The test pattern has as many frames as the files of `fake_devices`.
    devices = f"device-count={cameras},fps={CAMERA_FPS}"
    flags = [*FLAGS, *more_flags, f"--use-fake-device-for-media-stream={devices}"]
    if allow_devices is not None:
        answer = "" if allow_devices else "=deny"
        flags.append(f"--use-fake-ui-for-media-stream{answer}")
    if camera:
        flags.append(f"--use-file-for-fake-video-capture={camera}")
    if microphone:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}")
    names = ["chromium"]
    if allow_devices is not None:
        names.insert(0, "chromium-headless-shell")
    installed = next(filter(None, map(shutil.which, names)), "/usr/bin/chromium")
    browser = await playwright.chromium.launch(executable_path=executable or installed, args=flags)
    try:
        yield browser
    finally:
        await browser.close()
