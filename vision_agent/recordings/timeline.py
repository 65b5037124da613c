"""When a packet of a track was really said or shown. Pure.

The sender's clock (RTP timestamps) gives exact distances within a track, the arrival says when that
was. A packet comes late by what the network delays it, so that the least late one counts: the
track is placed as if that one had not been delayed.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

SETTLES_S = 0.3
"""How long packets are held until it is known what their timestamps mean."""

FIRST_SETTLES_S = 1.0
"""The same of a sender's first packets, of which a slow one may send the first few late and those
after them in a burst."""

JUMP_S = 0.25
"""Timestamps that are off by more have jumped, such as those of a sender that was paused, unless
the network has held packets up: then those that follow are on time again."""

STEP_S = 0.25
"""Timestamps that go on by no more have not jumped: what comes ahead of its time then was sent
faster than it is played, such as speech from a file, and follows what came before it."""

MAX_AHEAD_S = 5.0

DRIFT_WINDOW_S = 5.0
LARGEST_STEP_S = 0.02
"""By how much a clock that is slower than ours is followed after each such window."""

SMALLEST_S = 0.005
AHEAD_SHARE, FAR_AHEAD_SHARE = 0.1, 0.25
"""By how much of the time since the last packet one that is faster is followed: with the first
packets, too, which are often late. The second is for more than `JUMP_S`."""


class _Held(NamedTuple, Generic[T]):
    media_s: float
    arrived_s: float
    item: T


class Timeline(Generic[T]):
    """Places the packets of one sender of one track.

    Args:
        clock_hz: The clock of the timestamps.
        reorders: Whether a packet may be of an earlier time than the one before it, as with
            B-frames.
        not_before_s: Where an earlier sender's last packet was placed.

    Attributes:
        not_before_s: The same. What was held up for longer is placed from there on.
        latest_s: The latest time of a packet that was placed.
    """

    def __init__(
        self, clock_hz: int, *, reorders: bool = False, not_before_s: float = -math.inf
    ) -> None:
        self._clock_hz = clock_hz
        self._reorders = reorders
        self._offset_s: float | None = None
        self._held: list[_Held[T]] = []
        self.not_before_s = self.latest_s = not_before_s
        self._media_s = 0.0
        self._window_s: float | None = None
        self._least_late_s = 0.0

    def add(self, ticks: int, arrived_s: float, item: T) -> list[tuple[float, T]]:
        """Take a packet.

        Args:
            ticks: Its timestamp; it does not wrap around.
            arrived_s: When it arrived, in seconds of the recording.
            item: The packet.

        Returns:
            Packets whose time is known now, in order of arrival, each after its time in seconds;
            less than 0 for what was sent before the recording began.
        """
        media_s = ticks / self._clock_hz
        ready = self._settle(media_s, arrived_s)
        if self._held or self._offset_s is None:
            self._held.append(_Held(media_s, arrived_s, item))
            return ready
        late_s = arrived_s - media_s - self._offset_s
        goes_on = late_s >= -MAX_AHEAD_S and 0.0 < media_s - self._media_s <= STEP_S
        if late_s > JUMP_S or (late_s < -JUMP_S and not goes_on):
            self._held.append(_Held(media_s, arrived_s, item))
            return ready
        self._follow(late_s, media_s, arrived_s)
        self._media_s = media_s
        ready.append((self._placed(media_s, arrived_s), item))
        return ready

    def expire(self, now_s: float) -> list[tuple[float, T]]:
        """Packets that have been held for long enough, as of `add`."""
        settles_s = FIRST_SETTLES_S if self._offset_s is None else SETTLES_S
        if self._held and now_s - self._held[0].arrived_s >= settles_s:
            return self._release()
        return []

    def end(self) -> list[tuple[float, T]]:
        """All packets that are held, as of `add`."""
        return self._release() if self._held else []

    def _settle(self, media_s: float, arrived_s: float) -> list[tuple[float, T]]:
        """What the next packet says of those that are held."""
        if not self._held:
            return []
        offset_s = self._offset_s
        if offset_s is not None and abs(arrived_s - media_s - offset_s) <= JUMP_S:
            held, self._held = self._held, []  # they were late, and that is over
            placed = (min(one.media_s, one.arrived_s - offset_s) for one in held)
            return [
                (self._placed(at, one.arrived_s), one.item)
                for at, one in zip(placed, held, strict=True)
            ]
        return self.expire(arrived_s)

    def _release(self) -> list[tuple[float, T]]:
        held, self._held = self._held, []
        self._media_s = held[-1].media_s
        self._anchor(min(one.arrived_s - one.media_s for one in held) + self._room_s(held))
        return [(self._placed(one.media_s, one.arrived_s), one.item) for one in held]

    def _room_s(self, held: list[_Held[T]]) -> float:
        """How much later packets are placed than they were sent, so that each has its time."""
        steps = (b.media_s - a.media_s for a, b in pairwise(held))
        if not all(0.0 < step <= STEP_S for step in steps):
            return 0.0
        first_s = held[0].media_s + min(one.arrived_s - one.media_s for one in held)
        return min(max(0.0, max(self.not_before_s, self.latest_s) - first_s), MAX_AHEAD_S)

    def _anchor(self, offset_s: float) -> None:
        self._offset_s = offset_s
        self._window_s = None

    def _follow(self, late_s: float, media_s: float, arrived_s: float) -> None:
        assert self._offset_s is not None
        if late_s < 0:
            since_s = min(1.0, max(0.0, media_s - self._media_s))
            share = AHEAD_SHARE if late_s >= -JUMP_S else FAR_AHEAD_SHARE
            self._offset_s += max(late_s, -share * since_s)
            self._window_s = None
        elif self._window_s is None:
            self._window_s, self._least_late_s = arrived_s, late_s
        elif late_s < self._least_late_s:
            self._least_late_s = late_s
        if self._window_s is not None and arrived_s - self._window_s >= DRIFT_WINDOW_S:
            if self._least_late_s > SMALLEST_S:
                self._offset_s += min(self._least_late_s, LARGEST_STEP_S)
            self._window_s = None

    def _placed(self, media_s: float, arrived_s: float) -> float:
        assert self._offset_s is not None
        # A hostile sender's timestamps lead neither into the future nor far back.
        at_s = min(media_s + self._offset_s, arrived_s + MAX_AHEAD_S)
        at_s = max(at_s, self.latest_s - 1.0 if self._reorders else self.latest_s)
        at_s = max(at_s, self.not_before_s)
        self.latest_s = max(self.latest_s, at_s)
        return at_s
