"""How long a connection and a session may last, and how much they may hold. Pure.

The figures are the public service's, as it documents them. What it says when one is reached is not
documented; the codes and words here are those its users report.
"""

from __future__ import annotations

from dataclasses import dataclass

EXPIRED = 1011, "Deadline expired before operation could complete."
"""How a connection ends that has lived its time (RFC 6455: internal error)."""

ABORTED = 1008, "The operation was aborted."
"""How a session ends that has lasted its time (RFC 6455: policy violation)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server allows; None switches a limit off, every default is the service's.

    Attributes:
        connection_s: How long a connection lives, whoever resumes the session on another one.
        go_away_s: How long before that end ``goAway`` says so.
        audio_session_s: How long a session of sound alone lasts without compression of its
            context, all of its connections together.
        video_session_s: The same, once a picture has come.
        context_tokens: What the model reads at most; without compression a session that needs
            more ends, and compression starts at 80 % of it unless told otherwise.
        message_bytes: The largest message taken; a longer one ends its connection with 1009.
        audio_ahead_s: How far the sound sent may be ahead of what the caller has heard.
        resumable_always: Whether the last handle is left to the client while the next answer is
            made, instead of saying that what goes on now is in no handle yet.
    """

    connection_s: float | None = 600.0
    go_away_s: float = 60.0
    audio_session_s: float | None = 15 * 60.0
    video_session_s: float | None = 2 * 60.0
    context_tokens: int | None = 128_000
    message_bytes: int = 4 * 2**20
    audio_ahead_s: float | None = 1.0
    resumable_always: bool = False


SERVICE = Limits()
"""What the public service allows."""

UNLIMITED = Limits(
    connection_s=None,
    audio_session_s=None,
    video_session_s=None,
    context_tokens=None,
    resumable_always=True,
)
"""Nothing ends by itself; the size of a message stays bounded, for the server's own sake."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """Tell the client that its connection ends in ``time_left_s``."""

    time_left_s: float


@dataclass(frozen=True, slots=True)
class End:
    """Close the connection."""

    code: int
    reason: str


class Lifetime:
    """One connection's time, and its session's. Times are seconds of any one clock.

    Args:
        limits: What is allowed.
        compressed: Whether the context window is compressed, which lifts the session's limits.
        now_s: When the connection began.
        age_s: How long the session had lasted by then, on earlier connections.
    """

    def __init__(
        self, limits: Limits, *, compressed: bool, now_s: float, age_s: float = 0.0
    ) -> None:
        self._limits = limits
        self._compressed = compressed
        self._connected_s = now_s
        self._began_s = now_s - age_s
        self._video = False
        self._warned = False

    def video_came(self) -> None:
        """A picture came: from now on this is a session of sound and video."""
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

    def due(self, now_s: float) -> GoAway | End | None:
        """What has to be done at ``now_s``; `GoAway` once at most."""
        if (end := self._session_ends_s) is not None and now_s >= end:
            return End(*ABORTED)
        if (end := self._connection_ends_s) is None:
            return None
        if now_s >= end:
            return End(*EXPIRED)
        if (goes := self._goes_away_s) is not None and now_s >= goes:
            self._warned = True
            return GoAway(end - now_s)
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


def speech_wait_ms(limits: Limits, heard_until_ms: float, now_ms: float) -> float:
    """How long the next piece of sound has to wait, so that little of it is under way.

    What is under way can't be taken back: a client that reads slowly would get the news of an
    interruption behind all of it. A turn ends when it has been heard, so waiting costs no time.

    Args:
        limits: How much may be ahead.
        heard_until_ms: When the caller will have heard all that was sent.
        now_ms: The time now.
    """
    if limits.audio_ahead_s is None:
        return 0.0
    return max(0.0, heard_until_ms - now_ms - 1000 * limits.audio_ahead_s)
