"""Whether the caller's camera, or their shared screen, is on. No I/O, no clock.

Three things switch a video off: the client says so (`trackStatus`), its track ends, or its frames
stop. Not every client sends the first or ends its track, so frames that stop count as well: a frame
that is a few seconds old no longer shows what is in front of the camera. A screen has longer: while
nothing moves on it, browsers send one frame a second, or none.
"""

from __future__ import annotations

OFF_AFTER_S = 1.0
"""A longer time without a frame is no network delay."""

OFF_AFTER_FRAMES = 3.0
"""The same for a slow sender, in intervals between its frames."""

LONGEST_S = 5.0
"""The longest time without a frame, however slow the sender."""

SCREEN_OFF_AFTER_S = 15.0
"""The same for a screen."""


class VideoPresence:
    """One call's camera or screen.

    Args:
        off_after_s: A longer time without a frame means that it is off.
        longest_s: The longest such time for a sender of few frames a second.

    Attributes:
        on: Whether it is on, as of the last method call.
    """

    def __init__(self, off_after_s: float = OFF_AFTER_S, longest_s: float = LONGEST_S) -> None:
        self._off_after_s = off_after_s
        self._longest_s = longest_s
        self._track = False
        self._enabled = True
        self._arrived_at_s: float | None = None
        self._interval_s = 0.0
        self.on = False

    @property
    def awaited(self) -> bool:
        """Whether frames are to be expected."""
        return self._track and self._enabled

    def track(self, there: bool) -> None:
        """A video track was added or ended. A new one is on until the client says otherwise."""
        self._track, self._enabled = there, True
        self._forget()

    def enabled(self, enabled: bool) -> None:
        """The client has switched it on or off."""
        if enabled != self._enabled:
            self._enabled = enabled
            self._forget()

    def arrived(self, at_s: float) -> None:
        """A frame arrived. One that was sent before it was switched off does not count."""
        if not self.awaited:
            return
        if self._arrived_at_s is not None:
            passed_s = at_s - self._arrived_at_s
            self._interval_s += 0.2 * (min(passed_s, self._longest_s) - self._interval_s)
        self._arrived_at_s = at_s
        self.on = True

    def check(self, now_s: float) -> None:
        """Notice that frames have stopped."""
        if self._arrived_at_s is None:
            return
        slow_s = OFF_AFTER_FRAMES * self._interval_s
        patience_s = min(self._longest_s, max(self._off_after_s, slow_s))
        if now_s - self._arrived_at_s > patience_s:
            self._forget()

    def _forget(self) -> None:
        self._arrived_at_s = None
        self._interval_s = 0.0
        self.on = False
