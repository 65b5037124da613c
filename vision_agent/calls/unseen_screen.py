"""Tells a caller who shares a screen that the server allows none."""

from __future__ import annotations

from collections.abc import Callable

from vision_agent.rtc.aiortc_patches import has_arrived
from vision_agent.rtc.own.aiortc import MediaStreamTrack

UNSEEN_SCREEN = "This server allows no screen sharing: the agent looks at the camera alone."


class UnseenScreen:
    """Tells the caller once, when the first frame of a screen arrives.

    A client offers a section for its screen whether it shares one or not.

    Args:
        tell: Shows the caller a sentence.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._track: MediaStreamTrack | None = None
        self._told = False

    def offered(self, track: MediaStreamTrack) -> None:
        """Take the track on which a screen may arrive."""
        if not self._told:
            self._track = track

    def check(self) -> None:
        """Tell the caller if a frame has arrived."""
        if self._track is not None and has_arrived(self._track):
            self._track, self._told = None, True
            self._tell(UNSEEN_SCREEN)
