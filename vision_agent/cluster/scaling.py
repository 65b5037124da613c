"""Decides the number of workers, and which of them end. Pure: time is an argument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FULL_SHARE = 0.75
"""Another worker, which takes seconds to start, is started when calls take this share of the
capacity."""

IDLE_SHARE = 0.5
"""A worker ends when the calls would take less than this share of the others' capacity …"""

IDLE_FOR_S = 60.0
"""… for this long: callers come in waves."""

CROWDED_AFTER_S = 15.0
"""A new worker without a core by then gets the core of an old one."""

SETTLE_S = 5.0
"""A lost worker is replaced this much later, if the others have room for its callers: those come
back meanwhile, and starting a worker takes a core for some seconds."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""The pause after a worker that ended before it was ready; each further one doubles it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as the fleet sees it.

    Attributes:
        name: Its name.
        generation: The deployment it belongs to.
        began_s: When it was started or found.
        ready: Whether it has answered.
        draining: Whether it takes no new calls.
        calls: Its calls in progress.
        capacity: The most calls at the same time; for one that is not ready, its future capacity.
    """

    name: str
    generation: str
    began_s: float
    ready: bool
    draining: bool
    calls: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Change:
    """What to do now.

    Attributes:
        start: The number of workers to start.
        drain: The names of the workers to end when their calls are over.
    """

    start: int = 0
    drain: tuple[str, ...] = ()


class Scaling:
    """Decides for one deployment.

    Args:
        generation: The deployment.
        least: The least number of workers.
        most: The greatest number of workers.
    """

    def __init__(self, generation: str, least: int, most: int) -> None:
        self._generation = generation
        self._least, self._most = least, most
        self._fewer_since_s: float | None = None
        self._failures = 0
        self._pause_until_s = float("-inf")
        self._lost_calls, self._settled_at_s = 0, float("-inf")

    def lost(self, calls: int, now_s: float) -> None:
        """A worker has ended unexpectedly, with this number of calls."""
        settling = now_s < self._settled_at_s
        self._lost_calls = calls + (self._lost_calls if settling else 0)
        self._settled_at_s = now_s + SETTLE_S

    def failed(self, now_s: float) -> None:
        """A worker has ended before it was ready."""
        pause_s = min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S)
        self._failures = min(self._failures + 1, 16)
        self._pause_until_s = now_s + pause_s

    def started(self) -> None:
        """A worker has become ready."""
        self._failures = 0

    def judge(self, seen: Sequence[Seen], now_s: float) -> Change:
        """What to do about the present workers."""
        if any(one.generation > self._generation for one in seen):
            return Change()  # a later deployment has taken over
        old = [one for one in seen if one.generation != self._generation and not one.draining]
        own = [one for one in seen if one.generation == self._generation and not one.draining]
        calls = sum(one.calls for one in seen)
        wanted = self._wanted(calls, own, FULL_SHARE)
        if len(own) < wanted:
            self._fewer_since_s = None
            waits = now_s < self._pause_until_s or self._settles(own, now_s)
            start = 0 if waits else wanted - len(own)
            return Change(start, self._replaced(old, own, wanted, now_s))
        if old:
            return Change(drain=self._replaced(old, own, wanted, now_s))
        return Change(drain=self._superfluous(own, calls, now_s))

    def _settles(self, own: Sequence[Seen], now_s: float) -> bool:
        """Whether callers of a lost worker are coming back to the remaining ones."""
        room = sum(one.capacity - one.calls for one in own if one.ready)
        return now_s < self._settled_at_s and room > 0 and room >= self._lost_calls

    def _wanted(self, calls: int, own: Sequence[Seen], share: float) -> int:
        # Before there is one, its capacity is unknown: the least number will tell it.
        capacity = min((one.capacity for one in own), default=0)
        needed = math.ceil(calls / (capacity * share)) if capacity else 0
        return max(self._least, min(self._most, needed))

    def _replaced(
        self, old: Sequence[Seen], own: Sequence[Seen], wanted: int, now_s: float
    ) -> tuple[str, ...]:
        """The workers of earlier deployments that new ones replace, the emptiest first."""
        ready = sum(one.ready for one in own)
        crowded = any(not one.ready and now_s - one.began_s > CROWDED_AFTER_S for one in own)
        stay = max(0, wanted - ready - crowded)
        return tuple(one.name for one in sorted(old, key=_calls)[: max(0, len(old) - stay)])

    def _superfluous(self, own: Sequence[Seen], calls: int, now_s: float) -> tuple[str, ...]:
        if len(own) <= self._wanted(calls, own, IDLE_SHARE) or not all(one.ready for one in own):
            self._fewer_since_s = None
            return ()
        if self._fewer_since_s is None:
            self._fewer_since_s = now_s
        if now_s - self._fewer_since_s < IDLE_FOR_S:
            return ()
        self._fewer_since_s = None
        return (min(own, key=_calls).name,)


def _calls(one: Seen) -> int:
    return one.calls
