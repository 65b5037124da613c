"""A window that shows what the agent sees."""

from __future__ import annotations

import asyncio
import os
import sys

import cv2

from vision_agent.caller.taps import TappedVideo

_TITLE = "vision-agent: what the agent sees"
_INTERVAL_S = 0.05


class NoPreview(RuntimeError):
    """No window can be opened; `str(error)` says why."""


def check_preview() -> None:
    """Raise `NoPreview` if no window can be opened: without a display OpenCV ends the process."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise NoPreview(
            "--preview needs a display, and there is none here (neither DISPLAY nor "
            "WAYLAND_DISPLAY is set). Leave it out; the call works without."
        )
    try:
        cv2.namedWindow(_TITLE)
    except cv2.error as error:
        raise NoPreview(
            "--preview needs OpenCV with windows, and this is the headless build: "
            "pip install --force-reinstall opencv-python brings the other."
        ) from error


async def show(video: TappedVideo) -> None:
    """Show the newest frame until cancelled; windows belong to the main thread."""
    shown = None
    try:
        while True:
            if video.newest is not None and video.newest is not shown:
                shown = video.newest
                cv2.imshow(_TITLE, shown.to_ndarray(format="bgr24"))
            cv2.waitKey(1)
            await asyncio.sleep(_INTERVAL_S)
    finally:
        cv2.destroyAllWindows()
