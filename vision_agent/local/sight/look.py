"""Looking at pictures: only when asked, off the event loop, at most two looks at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import cv2

from vision_agent.local.contract import SeenFrame
from vision_agent.local.sight.changes import choose_earlier, compare
from vision_agent.local.sight.codes import Codes
from vision_agent.local.sight.colours import describe_colours
from vision_agent.local.sight.faces import Faces
from vision_agent.local.sight.observations import NEEDS, Changes, Observations
from vision_agent.local.sight.picture import Pixels, UnreadablePicture, decode
from vision_agent.local.sight.quality import judge
from vision_agent.local.sight.text import Reader

Part = TypeVar("Part")

AT_ONCE = 2
"""Looks at the same time. Further ones wait, one for each conversation at most, as each awaits
its own look before it asks for another."""


class Sight:
    """Describes pictures. Cheap to make; what it needs is loaded when first asked for."""

    def __init__(self) -> None:
        # Two looks keep two cores busy; OpenCV's own threads would only get into their way.
        self._threads = ThreadPoolExecutor(
            AT_ONCE, "sight", initializer=cv2.setNumThreads, initargs=(1,)
        )
        self._faces = _Once(Faces)
        self._reader = _Once(Reader)
        self._codes = _Once(Codes)

    async def observe(self, frames: Sequence[SeenFrame], needs: frozenset[str]) -> Observations:
        """Looks at the newest picture.

        Args:
            frames: Oldest first. For "changes" the newest is compared with an earlier one.
            needs: What to look for, of "colour", "quality", "faces", "text", "codes", "changes".

        Returns:
            What was asked for, and None for what was not.

        Raises:
            UnreadablePicture: There is no picture, or the newest is broken.
            ValueError: Something else than the six was asked for.
            RuntimeError: It is closed, or a model is missing.
        """
        unknown = needs - NEEDS
        if unknown:
            raise ValueError(f"Nobody can look for {', '.join(sorted(unknown))}.")
        if not frames:
            raise UnreadablePicture("There is no picture.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._look, tuple(frames), needs)

    async def warm_up(self) -> None:
        """Loads what is otherwise loaded when first asked for: about 2 s of one core."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._load)

    async def close(self) -> None:
        """Ends the threads; looks that wait are cancelled, those under way are awaited."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    def _load(self) -> None:
        for part in (self._faces, self._codes, self._reader):
            part.get()

    def _look(self, frames: tuple[SeenFrame, ...], needs: frozenset[str]) -> Observations:
        newest = decode(frames[-1].jpeg)
        return Observations(
            colour=describe_colours(newest, self._faces.get().boxes(newest))
            if "colour" in needs
            else None,
            quality=judge(newest) if "quality" in needs else None,
            faces=self._faces.get().find(newest) if "faces" in needs else None,
            text=self._reader.get().read(newest) if "text" in needs else None,
            codes=self._codes.get().find(newest) if "codes" in needs else None,
            changes=_changes(frames, newest) if "changes" in needs else None,
        )


class _Once(Generic[Part]):
    """A part that takes time to make: made when first used, once, whichever thread is first."""

    def __init__(self, make: Callable[[], Part]) -> None:
        self._make = make
        self._made: Part | None = None
        self._making = threading.Lock()

    def get(self) -> Part:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made


def _changes(frames: tuple[SeenFrame, ...], newest: Pixels) -> Changes:
    earlier = choose_earlier(frames)
    if earlier is None:
        return Changes(False, (), "there is no earlier picture to compare with", 0.0)
    since_s = (frames[-1].at_ms - earlier.at_ms) / 1000
    return compare(decode(earlier.jpeg), newest, since_s)
