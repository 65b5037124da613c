"""How long connections and sessions may last on a server, and how much they may hold.

The figures are the public service's, as it documents them or as others recorded them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server; None switches a limit off, every default is the service's.

    Attributes:
        connection_s: How long a connection lives; its session may be resumed on another one.
        go_away_s: How long before that end ``goAway`` says so.
        audio_session_s: How long a session of sound alone lasts without compression of its
            context, all of its connections together.
        video_session_s: The same, once a frame has come.
        context_tokens: What the model reads at most; without compression a session that needs
            more ends, and compression starts at 80 % of it unless told otherwise.
        message_bytes: The largest message taken; a longer one ends its connection with 1009.
        resumable_always: Whether the client may resume from the last handle while the next answer
            is generated, instead of being sent ``resumable: false``.
    """

    connection_s: float | None = 590.0
    go_away_s: float = 50.0
    audio_session_s: float | None = 15 * 60.0
    video_session_s: float | None = 2 * 60.0
    context_tokens: int | None = 128_000
    message_bytes: int = 4 * 2**20
    resumable_always: bool = False


SERVICE = Limits()
"""The limits of the public service."""

UNLIMITED = Limits(
    connection_s=None,
    audio_session_s=None,
    video_session_s=None,
    context_tokens=None,
    resumable_always=True,
)
"""No limits, except on the size of a message, for the server's own sake."""
