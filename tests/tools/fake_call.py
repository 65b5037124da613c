"""A call that has only frames, and records what tools send to it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from vision_agent import call_scope
from vision_agent.tools.jobs import Job, Jobs


class StillFrame:
    def __init__(self, pixels: np.ndarray, captured_at_s: float) -> None:
        self._pixels = pixels
        self.captured_at_s = captured_at_s
        self.height, self.width = pixels.shape[:2]

    def pixels(self, max_px: int) -> np.ndarray:
        return self._pixels


class FakeCall:
    """Gives its `frames` in order, each at once, and then none."""

    def __init__(self, *frames: np.ndarray) -> None:
        self.loop = asyncio.get_running_loop()
        self.jobs = Jobs(self.failed_jobs.append)
        self.frames = list(frames)
        self.camera_on = bool(frames)
        self.screen_on = False
        self.clock_s = 100.0
        self.shown: list[Mapping[str, object]] = []
        self.told: list[str] = []

    @property
    def failed_jobs(self) -> list[Job]:
        self._failed: list[Job] = getattr(self, "_failed", [])
        return self._failed

    def now_s(self) -> float:
        return self.clock_s

    async def next_frame(self, newer_than_s: float, timeout_s: float) -> StillFrame | None:
        self.clock_s += 0.5
        if not self.frames:
            self.clock_s += timeout_s
            await asyncio.sleep(0.01)
            return None
        return StillFrame(self.frames.pop(0), self.clock_s)

    async def full_frame(self, source: str = "camera") -> StillFrame | None:
        return await self.next_frame(0, 1)

    def shown_at_s(self, source: str = "camera") -> float | None:
        on = self.screen_on if source == "screen" else self.camera_on
        return self.clock_s - 0.25 if on else None

    def tell_agent(self, notice: str) -> None:
        self.told.append(notice)

    def show_page(self, message: Mapping[str, object]) -> None:
        self.shown.append(message)

    def show_point(
        self,
        id: str,
        label: str,
        box_2d: Sequence[int],
        *,
        shown_at_s: float,
        seconds: float,
        source: str = "camera",
    ) -> None:
        age_ms = round(1000 * (self.clock_s - shown_at_s))
        message = {"kind": "point", "id": id, "label": label, "box_2d": list(box_2d)}
        self.shown.append(message | {"age_ms": age_ms, "seconds": seconds, "source": source})

    def clear_points(self) -> None:
        self.shown.append({"kind": "clear_points"})


@contextmanager
def inside(call: FakeCall) -> Iterator[FakeCall]:
    call_scope.enter("", call)
    try:
        yield call
    finally:
        call_scope.enter("", None)
