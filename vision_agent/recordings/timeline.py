"""The times at which a track's packets were really spoken or captured. Pure.

The sender's clock (RTP timestamps) gives exact distances within a track; the arrival gives the time
of day. The network delays every packet, so the least delayed one counts: the track is placed as if
that packet had not been delayed.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

SETTLES_S = 0.3
"""How long packets are held until the meaning of their timestamps is known."""

FIRST_SETTLES_S = 1.0
"""The same for a sender's first packets: a slow sender may send the first few late, and the next
ones in a burst."""

JUMP_S = 0.25
"""Timestamps that are off by more have jumped, for example because the sender was paused; unless
the network held packets up, after which the next ones are on time again."""

STEP_S = 0.25
"""Timestamps that advance by no more have not jumped: packets that come ahead of their time were
then sent faster than they are played, such as speech from a file, and follow the earlier ones."""

MAX_AHEAD_S = 5.0

DRIFT_WINDOW_S = 5.0
LARGEST_STEP_S = 0.02
"""The largest correction for a slower clock after each such window."""

SMALLEST_S = 0.005
AHEAD_SHARE, FAR_AHEAD_SHARE = 0.1, 0.25
"""The correction for a faster clock, or for late first packets, as a share of the time since the
last packet. The second share holds beyond `JUMP_S`."""


class _Held(NamedTuple, Generic[T]):
    media_s: float
    arrived_s: float
    item: T


class Timeline(Generic[T]):
    """Places the packets of one sender of one track.

    Args:
        clock_hz: The clock of the timestamps.
        reorders: Whether a packet may have an earlier time than the one before it, as with
            B-frames.
        not_before_s: The time at which an earlier sender's last packet was placed.

    Attributes:
        not_before_s: The same. Packets that were held up for longer are placed from there on.
        latest_s: The latest time of a placed packet.
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
            The times, in seconds, and the packets whose times are known now, in order of arrival. A
            time below 0 is one before the recording began.
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
        """The packets that have been held for long enough, as `add` returns them."""
        settles_s = FIRST_SETTLES_S if self._offset_s is None else SETTLES_S
        if self._held and now_s - self._held[0].arrived_s >= settles_s:
            return self._release()
        return []

    def end(self) -> list[tuple[float, T]]:
        """All held packets, as `add` returns them."""
        return self._release() if self._held else []

    def _settle(self, media_s: float, arrived_s: float) -> list[tuple[float, T]]:
        """Decide about the held packets by the next one."""
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
        """How much later than sent the packets are placed, so that each has its own time."""
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
