"""Analyses frames on demand, off the event loop, at most two at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Generic, TypeVar

import cv2

from vision_agent.detection.face_detector import FaceDetector
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.barcodes import Codes
from vision_agent.local.engine.sight.box_colours import colour_in
from vision_agent.local.engine.sight.camera_frame import Box, Pixels, UnreadableFrame, decode
from vision_agent.local.engine.sight.changes import choose_earlier, compare
from vision_agent.local.engine.sight.colour_regions import coloured
from vision_agent.local.engine.sight.colours import describe_colours
from vision_agent.local.engine.sight.counting import count
from vision_agent.local.engine.sight.features import Taught
from vision_agent.local.engine.sight.foreground import View, things
from vision_agent.local.engine.sight.known import Finder, TaughtThing
from vision_agent.local.engine.sight.movement import movement
from vision_agent.local.engine.sight.names import Names
from vision_agent.local.engine.sight.naming import NOBODY
from vision_agent.local.engine.sight.observations import (
    NEEDS,
    Changes,
    Face,
    Named,
    Observations,
    Quality,
    Spot,
    TextLine,
)
from vision_agent.local.engine.sight.ocr import ENOUGH_CHARS, Reader
from vision_agent.local.engine.sight.places import place
from vision_agent.local.engine.sight.quality import judge
from vision_agent.weights_file import WeightsError

_log = logging.getLogger(__name__)

Part = TypeVar("Part")
Found = TypeVar("Found")

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
        self._faces = _Once(FaceDetector, "I can't find faces")
        self._names = _Once(Names, "I can't name things")
        self._reader = _Once(Reader, "I can't read text")
        self._codes = _Once(Codes, "I can't read codes")
        self._finder = _Once(Finder, "I can't recognise things")

    async def observe(
        self,
        frames: Sequence[SeenFrame],
        needs: frozenset[str],
        *,
        colour: str = "",
        taught: Sequence[TaughtThing] = (),
        at: Box | None = None,
    ) -> Observations:
        """Looks at the newest frame.

        Args:
            frames: Oldest first. For "changes" and "movement" the newest frame is compared with
                earlier ones; "named" and "shown" are surer of what the newest few frames show.
            needs: What to look for, a subset of ``NEEDS``.
            colour: For "things": the colour to look for, one of the eleven basic names.
            taught: For "known": the things to look for.
            at: For "shown": where the thing is; None for the one in the middle.

        Returns:
            The observations; a field that was not asked for is None. A sense whose weights are
            missing finds nothing, and says so in ``off``.

        Raises:
            UnreadableFrame: There is no frame, or the newest is broken.
            ValueError: ``needs`` has an unknown member.
            RuntimeError: The object is closed, or a model of the text reader is missing.
        """
        unknown = needs - NEEDS
        if unknown:
            raise ValueError(f"Nobody can look for {', '.join(sorted(unknown))}.")
        if not frames:
            raise UnreadableFrame("There is no picture.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, self._look, tuple(frames), needs, colour, tuple(taught), at
        )

    async def learn(self, frames: Sequence[SeenFrame]) -> tuple[Quality, Taught | None]:
        """Learns the thing in the newest frame.

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
        for part in (self._names, self._faces, self._codes, self._reader):
            part.load()

    def _read(self, pixels: Pixels, needs: frozenset[str]) -> tuple[TextLine, ...]:
        reader = self._reader.get()
        return reader.read(pixels, None if "all_text" in needs else ENOUGH_CHARS)

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
        at: Box | None,
    ) -> Observations:
        newest = decode(frames[-1].jpeg)
        coloured = "colour" in needs and needs & {"named", "shown"}
        view = View.of(newest) if coloured or needs & {"count", "things"} else None
        counted = count(view) if view and "count" in needs else None
        spots = _spots(view, colour) if view and "things" in needs else None
        off: list[str] = []
        faces: tuple[Face, ...] = ()
        if needs & {"faces", "colour", "named", "shown"}:
            faces = self._faces.use(lambda part: _faces(part, newest), faces, off)
        in_faces = [face.box for face in faces if face.box]
        named: tuple[Named, ...] = ()
        shown: Named | None = None
        if needs & {"named", "shown"}:
            named = self._names.use(lambda part: part.named(frames, newest, in_faces), named, off)
            if "shown" in needs:
                shown = self._names.use(lambda part: part.shown(newest, named, at), NOBODY, off)
        if view and coloured:
            named = tuple(_coloured(thing, view) for thing in named)
            shown = _coloured(shown, view) if shown else None
        return Observations(
            colour=describe_colours(newest, in_faces) if "colour" in needs else None,
            quality=judge(newest) if "quality" in needs else None,
            faces=faces if "faces" in needs else None,
            text=self._read(newest, needs) if needs & {"text", "all_text"} else None,
            codes=self._codes.get().find(newest) if "codes" in needs else None,
            changes=_changes(frames, newest) if "changes" in needs else None,
            count=counted,
            movement=movement(frames, newest) if "movement" in needs else None,
            things=spots,
            known=self._finder.get().find(newest, taught) if "known" in needs else None,
            named=named if "named" in needs else None,
            shown=shown,
            off=tuple(dict.fromkeys(off)),
        )


class _Once(Generic[Part]):
    """A part that is expensive to construct: the first thread that uses it constructs it, once.

    Args:
        make: Constructs it.
        without: The beginning of the sentence that says what is missing without it.
    """

    def __init__(self, make: Callable[[], Part], without: str) -> None:
        self._make = make
        self._without = without
        self._made: Part | None = None
        self._missing: WeightsError | None = None
        self._making = threading.Lock()

    def get(self) -> Part:
        """The part.

        Raises:
            WeightsError: Its weights are missing or damaged; it is not tried a second time.
        """
        with self._making:
            if self._missing is not None:
                raise self._missing
            if self._made is None:
                try:
                    self._made = self._make()
                except WeightsError as error:
                    self._missing = error
                    _log.warning("%s: %s", self._without, error)
                    raise
            return self._made

    def load(self) -> None:
        """Constructs the part. A failure is reported only when the part is used."""
        with suppress(WeightsError):
            self.get()

    def use(self, find: Callable[[Part], Found], nothing: Found, off: list[str]) -> Found:
        """The part's result; ``nothing``, and a sentence in ``off``, if the part is missing."""
        try:
            return find(self.get())
        except WeightsError as error:
            off.append(f"{self._without}: {error}")
            return nothing


COLOURLESS = ("", "person", "laptop", "monitor")
"""Names of things that get no colour: a screen's colour is that of its content."""


def _coloured(thing: Named, view: View) -> Named:
    if thing.name in COLOURLESS or not thing.placed:
        return thing
    return replace(thing, colour=colour_in(view, thing.box))


def _faces(detector: FaceDetector, pixels: Pixels) -> tuple[Face, ...]:
    return tuple(Face(place(box.x + box.width / 2, 1.0), box) for box in detector.boxes(pixels))


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
