"""The camera: OpenCV's VideoCapture as a track, and the list of cameras."""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from vision_agent.caller.video_clock import VideoClock

FPS = 15.0
"""Frames sent per second, at most. The agent looks about once a second; more keep it fresh."""

_PROBED = 4


class CameraUnavailable(RuntimeError):
    """The camera does not exist or can't be used; `str(error)` says what to do."""


class WebcamTrack(MediaStreamTrack):
    """A camera's frames, up to `FPS` per second, always the newest.

    Args:
        source: The camera's number, or anything else VideoCapture opens.

    Raises:
        CameraUnavailable: The camera can't be opened or delivers no frame.
    """

    kind = "video"

    def __init__(self, source: int | str) -> None:
        super().__init__()
        self._capture = _open(source)
        # VideoCapture blocks until a frame arrives, and belongs to one thread at a time.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="webcam")
        self._clock = VideoClock()
        self._due_at = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        """Return the newest frame, when one is due."""
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(max(0.0, self._due_at - time.monotonic()))
        self._due_at = max(self._due_at + 1 / FPS, time.monotonic())
        read = asyncio.get_running_loop().run_in_executor(self._reader, self._capture.read)
        there, pixels = await read
        if not there:
            self.stop()
            raise MediaStreamError
        height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
        even = np.ascontiguousarray(pixels[:height, :width], np.uint8)
        frame = av.VideoFrame.from_ndarray(even, format="bgr24").reformat(format="yuv420p")
        return self._clock.stamp(frame)

    def stop(self) -> None:
        """End the track and release the camera."""
        if self.readyState == "live":
            self._reader.submit(self._capture.release)
            self._reader.shutdown(wait=False)
        super().stop()


def list_cameras() -> list[tuple[int, str]]:
    """Return the cameras' numbers and names. Outside Linux each camera is opened for a moment."""
    if sys.platform == "linux":
        folders = sorted(Path("/sys/class/video4linux").glob("video*"))
        return [
            (int(folder.name.removeprefix("video")), (folder / "name").read_text().strip())
            for folder in folders
            if (Path("/dev") / folder.name).exists()
        ]
    found = []
    for number in range(_PROBED):
        try:
            _open(number).release()
        except CameraUnavailable:
            continue
        found.append((number, f"camera {number}"))
    return found


def _open(source: int | str) -> cv2.VideoCapture:
    # OpenCV prints messages of its own for a camera that does not exist.
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(source)
    finally:
        cv2.utils.logging.setLogLevel(level)
    # Only the newest frame is wanted; not every system honours the buffer size.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if not capture.isOpened() or not capture.grab():
        capture.release()
        raise CameraUnavailable(
            f"Camera {source} gives no picture. Is it there, and used by no other program? "
            "--list-devices shows the cameras; --camera FILE shows a recording instead, "
            "--camera none nothing."
        )
    return capture
