"""Typed texts on their way to the model, each with a fresh frame where one is near. Pure."""

from __future__ import annotations

MAX_WAITING = 20
"""Texts that the model has not been sent: while it is away, or until a frame was sent."""

FRESH_FRAME_S = 1.2
"""A frame of this age is as good as a new one."""

FRESH_WAIT_S = 0.6
"""How long typed text waits for a fresh frame when the last one is older."""

FIRST_FRAME_S = 3.0
"""How long typed text waits for the first frame of a new camera track."""


OLDEST_FRAME_S = 10.0
"""A text goes without a frame rather than with an older one."""


class TypedTurns:
    """Holds typed texts back until a fresh frame is there, for a bounded time.

    Times are seconds of a monotonic clock.

    Attributes:
        due_s: When the texts that wait are to be sent without a frame; None if none waits.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.due_s: float | None = None

    def has_room(self, queued: int) -> bool:
        """Whether one more text may be taken, when this many wait for the model elsewhere."""
        return len(self._texts) + queued < MAX_WAITING

    def add(
        self, text: str, now_s: float, *, frame_at_s: float | None, camera_since_s: float | None
    ) -> None:
        """Take a text; `take` gives it back.

        Args:
            text: What was typed.
            now_s: The present.
            frame_at_s: When the camera's newest frame was captured; None while the camera is off.
            camera_since_s: When a camera was switched on whose first frame is still to come.
        """
        if self.due_s is None:
            self.due_s = now_s + self._wait_s(now_s, frame_at_s, camera_since_s)
        self._texts.append(text)

    def take(self, now_s: float | None = None) -> list[str]:
        """The texts to send now, in order.

        Args:
            now_s: The present; None if a frame was sent, which ends all waiting.
        """
        if self.due_s is None or (now_s is not None and now_s < self.due_s):
            return []
        texts, self._texts, self.due_s = self._texts, [], None
        return texts

    def _wait_s(
        self, now_s: float, frame_at_s: float | None, camera_since_s: float | None
    ) -> float:
        if frame_at_s is None:
            if camera_since_s is None:
                return 0.0
            return max(0.0, camera_since_s + FIRST_FRAME_S - now_s)
        # An older frame is the newest because the next ones showed nothing new.
        return FRESH_WAIT_S if now_s - frame_at_s > FRESH_FRAME_S else 0.0
