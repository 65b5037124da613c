"""This machine's screen as a track, read by Pillow: X11 displays, macOS and Windows.

FFmpeg's devices are no alternative: PyAV's wheels have none for macOS and Windows, and `x11grab`
(18.1.0) crashes with a segmentation fault in a process that has imported OpenCV before PyAV.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from PIL import Image, ImageGrab

from vision_agent.caller.video_clock import VideoClock

FPS = 2.0
"""Frames sent per second; one takes 30 ms of a core. The agent gets one every two seconds."""

MAX_DISPLAY_PX = 1920
"""The longer side of what is sent; the server shrinks larger frames by itself."""

_INSTEAD = "Leave --screen out, and share the screen from the page in a browser if it is needed."
_WITHOUT_X11 = ("darwin", "win32")


class DisplayUnavailable(RuntimeError):
    """The screen can't be read; `str(error)` says why, and what to do instead."""


def why_not(platform: str, environment: Mapping[str, str]) -> str | None:
    """Return why a screen can't be read there, as a sentence; None if it may be possible.

    Args:
        platform: `sys.platform`.
        environment: `os.environ`.
    """
    if platform in _WITHOUT_X11:
        return None
    if environment.get("WAYLAND_DISPLAY"):
        return (
            "--screen reads screens of X11, and this is a Wayland session "
            "(WAYLAND_DISPLAY is set), in which X11 shows next to nothing of the screen."
        )
    if not environment.get("DISPLAY"):
        return "--screen reads screens of X11, and there is none here (DISPLAY is not set)."
    return None


class DisplayTrack(MediaStreamTrack):
    """The whole screen without its pointer, `FPS` times a second.

    Raises:
        DisplayUnavailable: There is no screen, or it can't be read.

    Attributes:
        failure: Why the screen can't be read any further, as a sentence; None while it can.
    """

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.failure: str | None = None
        if (reason := why_not(sys.platform, os.environ)) is not None:
            raise DisplayUnavailable(f"{reason} {_INSTEAD}")
        try:
            _grabbed()
        except (OSError, subprocess.CalledProcessError) as error:
            raise DisplayUnavailable(
                f"The screen{_name()} can't be read ({error}): is it there, and may you use it? "
                f"{_INSTEAD}"
            ) from error
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="display")
        self._clock = VideoClock()
        self._due_at = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        """Return what the screen shows, when a frame is due."""
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(self._due_at - time.monotonic())
        self._due_at = max(self._due_at + 1 / FPS, time.monotonic())
        try:
            frame = await asyncio.get_running_loop().run_in_executor(self._reader, _frame)
        except (OSError, subprocess.CalledProcessError) as error:
            self.failure = f"Your screen{_name()} is not shared any more: {error}."
            self.stop()
            raise MediaStreamError from error
        return self._clock.stamp(frame)

    def stop(self) -> None:
        """End the track."""
        if self.readyState == "live":
            self._reader.shutdown(wait=False)
        super().stop()


def _frame() -> av.VideoFrame:
    pixels = np.asarray(_grabbed().convert("RGB"), np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    scale = min(1.0, MAX_DISPLAY_PX / max(frame.width, frame.height))
    width, height = (max(2, int(side * scale) // 2 * 2) for side in (frame.width, frame.height))
    return frame.reformat(width, height, "yuv420p")


def _grabbed() -> Image.Image:
    if sys.platform in _WITHOUT_X11:
        return ImageGrab.grab()
    # With an explicit display, Pillow does not run the desktop's screenshot program instead.
    return ImageGrab.grab(xdisplay=os.environ["DISPLAY"])


def _name() -> str:
    return "" if sys.platform in _WITHOUT_X11 else f" {os.environ['DISPLAY']}"
