"""When a call has to end: it is too long, or nothing happens in it. Pure: time is an argument."""

from __future__ import annotations

from vision_agent.calls.allowance import Allowance
from vision_agent.calls.options import TimeLimits
from vision_agent.calls.verdicts import About, EndsNow, EndsSoon, GoesOn, Verdict


class CallLimits:
    """The limits of one call. A call that reaches both at once ends because of its length.

    Args:
        started_at_s: When the call started (monotonic).
        limits: How long it may last.
        allowance: What its caller may use today.
    """

    def __init__(self, started_at_s: float, limits: TimeLimits, allowance: Allowance) -> None:
        self._allowance = allowance
        self._max_call_s = limits.max_call_s
        self._idle_s = limits.idle_s
        self._warn_s = limits.warn_s
        self._started_at_s = started_at_s
        self._idle_since_s: float | None = started_at_s
        self._warned: set[About] = set()

    def busy(self) -> None:
        """Something happens in the call, until `quiet`."""
        self._idle_since_s = None

    def quiet(self, now_s: float) -> None:
        """Nothing happens from now on."""
        self._idle_since_s = now_s

    def check(self, now_s: float) -> list[Verdict]:
        """What has become due since the last check."""
        due: list[Verdict] = []
        for about, end_s, limit_s in self._ends():
            left_s = end_s - now_s
            if left_s <= 0:
                return [EndsNow(_reason(about, limit_s))]
            if left_s <= min(self._warn_s, limit_s / 2) and about not in self._warned:
                self._warned.add(about)
                due.append(EndsSoon(about, left_s, _warning(about, limit_s)))
        if "idle" in self._warned and all(
            about != "idle" or end_s - now_s > min(self._warn_s, limit_s / 2)
            for about, end_s, limit_s in self._ends()
        ):
            self._warned.discard("idle")
            due.append(GoesOn("idle"))
        return due + self._allowance.check(now_s, self._warn_s)

    def _ends(self) -> list[tuple[About, float, float]]:
        ends: list[tuple[About, float, float]] = []
        if self._max_call_s:
            ends.append(("max_call", self._started_at_s + self._max_call_s, self._max_call_s))
        if self._idle_s and self._idle_since_s is not None:
            ends.append(("idle", self._idle_since_s + self._idle_s, self._idle_s))
        return ends


def _reason(about: About, limit_s: float) -> str:
    if about == "idle":
        return f"nothing was said for {spoken_duration(limit_s)}"
    return f"the call has reached its limit of {spoken_duration(limit_s)}"


def _warning(about: About, limit_s: float) -> str:
    if about == "idle":
        return "Nobody has said anything for a while. Say or type something to stay."
    return f"Calls may last {spoken_duration(limit_s)} here. You can call again afterwards."


def spoken_duration(seconds: float) -> str:
    """A duration in words: `90 s`, `10 minutes`, `2 hours`."""
    for size, name in ((3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return f"{seconds:g} s"
