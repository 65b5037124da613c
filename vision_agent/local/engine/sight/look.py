"""Analyses frames on demand, off the event loop, at most two at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import cv2

from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.barcodes import Codes
from vision_agent.local.engine.sight.camera_frame import Pixels, UnreadableFrame, decode
from vision_agent.local.engine.sight.changes import choose_earlier, compare
from vision_agent.local.engine.sight.colour_regions import coloured
from vision_agent.local.engine.sight.colours import describe_colours
from vision_agent.local.engine.sight.counting import count
from vision_agent.local.engine.sight.faces import Faces
from vision_agent.local.engine.sight.features import Taught
from vision_agent.local.engine.sight.foreground import View, things
from vision_agent.local.engine.sight.known import Finder, TaughtThing
from vision_agent.local.engine.sight.movement import movement
from vision_agent.local.engine.sight.observations import NEEDS, Changes, Observations, Quality, Spot
from vision_agent.local.engine.sight.ocr import Reader
from vision_agent.local.engine.sight.quality import judge

Part = TypeVar("Part")

AT_ONCE = 2
"""Looks that run at once. Others wait: at most one for each conversation, because a conversation
awaits its look before it starts another."""


class Sight:
    """Describes frames. Cheap to construct: models are loaded when first needed."""

    def __init__(self) -> None:
        # Two looks keep two cores busy; OpenCV's own threads would only slow them down.
        self._threads = ThreadPoolExecutor(
            AT_ONCE, "sight", initializer=cv2.setNumThreads, initargs=(1,)
        )
        self._faces = _Once(Faces)
        self._reader = _Once(Reader)
        self._codes = _Once(Codes)
        self._finder = _Once(Finder)

    async def observe(
        self,
        frames: Sequence[SeenFrame],
        needs: frozenset[str],
        *,
        colour: str = "",
        taught: Sequence[TaughtThing] = (),
    ) -> Observations:
        """Looks at the newest frame.

        Args:
            frames: Oldest first. For "changes" and "movement" the newest frame is compared with
                earlier ones.
            needs: What to look for, a subset of ``NEEDS``.
            colour: For "things": the colour to look for, one of the eleven basic names.
            taught: For "known": the things to look for.

        Returns:
            The observations; a field that was not asked for is None.

        Raises:
            UnreadableFrame: There is no frame, or the newest is broken.
            ValueError: ``needs`` has an unknown member.
            RuntimeError: The object is closed, or a model is missing.
        """
        unknown = needs - NEEDS
        if unknown:
            raise ValueError(f"Nobody can look for {', '.join(sorted(unknown))}.")
        if not frames:
            raise UnreadableFrame("There is no picture.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, self._look, tuple(frames), needs, colour, tuple(taught)
        )

    async def learn(self, frames: Sequence[SeenFrame]) -> tuple[Quality, Taught | None]:
        """Learns the thing that the newest frame shows.

        Args:
            frames: Oldest first.

        Returns:
            The quality of the frame, and the view of the thing; None if no thing was found.

        Raises:
            UnreadableFrame: There is no frame, or the newest is broken.
        """
        if not frames:
            raise UnreadableFrame("There is no picture.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._learn, frames[-1])

    async def warm_up(self) -> None:
        """Loads all models, which takes about 2 s of one core."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._load)

    async def close(self) -> None:
        """Ends the threads. Waiting looks are cancelled, running ones are awaited."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    def _load(self) -> None:
        for part in (self._faces, self._codes, self._reader):
            part.get()

    def _learn(self, frame: SeenFrame) -> tuple[Quality, Taught | None]:
        pixels = decode(frame.jpeg)
        quality = judge(pixels)
        if quality.too_dark or quality.too_bright or quality.blurred:
            return quality, None
        return quality, self._finder.get().learn(pixels)

    def _look(
        self,
        frames: tuple[SeenFrame, ...],
        needs: frozenset[str],
        colour: str,
        taught: tuple[TaughtThing, ...],
    ) -> Observations:
        newest = decode(frames[-1].jpeg)
        view = View.of(newest) if needs & {"count", "things"} else None
        counted = count(view) if view and "count" in needs else None
        spots = _spots(view, colour) if view and "things" in needs else None
        return Observations(
            colour=describe_colours(newest, self._faces.get().boxes(newest))
            if "colour" in needs
            else None,
            quality=judge(newest) if "quality" in needs else None,
            faces=self._faces.get().find(newest) if "faces" in needs else None,
            text=self._reader.get().read(newest) if "text" in needs else None,
            codes=self._codes.get().find(newest) if "codes" in needs else None,
            changes=_changes(frames, newest) if "changes" in needs else None,
            count=counted,
            movement=movement(frames, newest) if "movement" in needs else None,
            things=spots,
            known=self._finder.get().find(newest, taught) if "known" in needs else None,
        )


class _Once(Generic[Part]):
    """A part that takes time to construct: constructed once, by the first thread that uses it."""

    def __init__(self, make: Callable[[], Part]) -> None:
        self._make = make
        self._made: Part | None = None
        self._making = threading.Lock()

    def get(self) -> Part:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made


def _spots(view: View, colour: str) -> tuple[Spot, ...]:
    if colour:
        return coloured(view, colour)
    return tuple(Spot(thing.colour, thing.box) for thing in things(view) or ())


def _changes(frames: tuple[SeenFrame, ...], newest: Pixels) -> Changes:
    earlier = choose_earlier(frames)
    if earlier is None:
        return Changes(False, (), "there is no earlier picture to compare with", 0.0)
    since_s = (frames[-1].at_ms - earlier.at_ms) / 1000
    return compare(decode(earlier.jpeg), newest, since_s)
