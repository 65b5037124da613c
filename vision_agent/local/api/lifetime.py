"""How long one connection and its session last, and when the client is warned. Pure.

What the service says when the time is over is not documented; the codes and words are those that
its users recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from vision_agent.local.api.limits import Limits

ABORTED = 1008, "The operation was aborted."
"""The close of a session whose time is over (RFC 6455: policy violation)."""


@dataclass(frozen=True, slots=True)
class ConnectionExpiring:
    """Tell the client that its connection ends in ``time_left_s``."""

    time_left_s: float


@dataclass(frozen=True, slots=True)
class ConnectionOver:
    """Close the connection."""

    code: int
    reason: str


class SessionLifetime:
    """One connection's time, and its session's. Times are seconds of any one clock.

    Args:
        limits: What is allowed.
        end: Code and words of the close of a connection whose time is over.
        compressed: Whether the context window is compressed, which lifts the session's limits.
        now_s: When the connection began.
        age_s: How long the session had lasted by then, on earlier connections.
    """

    def __init__(
        self,
        limits: Limits,
        end: tuple[int, str],
        *,
        compressed: bool,
        now_s: float,
        age_s: float = 0.0,
    ) -> None:
        self._end = end
        self._limits = limits
        self._compressed = compressed
        self._connected_s = now_s
        self._began_s = now_s - age_s
        self._video = False
        self._warned = False

    def video_came(self) -> None:
        """A frame came: from now on the limit of sessions with video holds."""
        self._video = True

    def age_s(self, now_s: float) -> float:
        """How long the session has lasted."""
        return now_s - self._began_s

    @property
    def wake_at_s(self) -> float | None:
        """When `due` has something to say next; None when never."""
        ends = [end for end in (self._goes_away_s, self._session_ends_s) if end is not None]
        if (end := self._connection_ends_s) is not None:
            ends.append(end)
        return min(ends, default=None)

    def due(self, now_s: float) -> ConnectionExpiring | ConnectionOver | None:
        """The actions due at ``now_s``; `ConnectionExpiring` at most once."""
        if (end := self._session_ends_s) is not None and now_s >= end:
            return ConnectionOver(*ABORTED)
        if (end := self._connection_ends_s) is None:
            return None
        if now_s >= end:
            return ConnectionOver(*self._end)
        if (goes := self._goes_away_s) is not None and now_s >= goes:
            self._warned = True
            return ConnectionExpiring(end - now_s)
        return None

    @property
    def _connection_ends_s(self) -> float | None:
        lives_s = self._limits.connection_s
        return None if lives_s is None else self._connected_s + lives_s

    @property
    def _goes_away_s(self) -> float | None:
        end = self._connection_ends_s
        return None if end is None or self._warned else end - self._limits.go_away_s

    @property
    def _session_ends_s(self) -> float | None:
        lasts_s = self._limits.video_session_s if self._video else self._limits.audio_session_s
        return None if lasts_s is None or self._compressed else self._began_s + lasts_s
