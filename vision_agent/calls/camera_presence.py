"""Whether there is a camera to look through just now. No I/O, no clock.

Three things switch a camera off: the client says so (`trackStatus`), its track ends, or its
pictures stop. Only the first two are certain, and only the first is said by every client; a picture
that is a few seconds old is no longer what is before the camera.
"""

from __future__ import annotations

OFF_AFTER_S = 1.0
"""So long without a picture is no delay of the network."""

OFF_AFTER_PICTURES = 3.0
"""Of a slow sender, so many intervals between its pictures."""

LONGEST_S = 5.0
"""However slow the sender."""


class CameraPresence:
    """One call's camera.

    Attributes:
        on: Whether there is one, as of the last call of a method.
    """

    def __init__(self) -> None:
        self._track = False
        self._enabled = True
        self._arrived_at_s: float | None = None
        self._interval_s = 0.0
        self.on = False

    @property
    def awaited(self) -> bool:
        """Whether pictures are to be expected."""
        return self._track and self._enabled

    def track(self, there: bool) -> None:
        """A video track came, or ended. A new one is on until the client says otherwise."""
        self._track, self._enabled = there, True
        self._forget()

    def enabled(self, enabled: bool) -> None:
        """The client says that it switched its camera on or off."""
        if enabled != self._enabled:
            self._enabled = enabled
            self._forget()

    def arrived(self, at_s: float) -> None:
        """A picture came. One that was on its way when the camera was switched off is none."""
        if not self.awaited:
            return
        if self._arrived_at_s is not None:
            passed_s = at_s - self._arrived_at_s
            self._interval_s += 0.2 * (min(passed_s, LONGEST_S) - self._interval_s)
        self._arrived_at_s = at_s
        self.on = True

    def check(self, now_s: float) -> None:
        """Notices that pictures have stopped."""
        if self._arrived_at_s is None:
            return
        patience_s = min(LONGEST_S, max(OFF_AFTER_S, OFF_AFTER_PICTURES * self._interval_s))
        if now_s - self._arrived_at_s > patience_s:
            self._forget()

    def _forget(self) -> None:
        self._arrived_at_s = None
        self._interval_s = 0.0
        self.on = False
