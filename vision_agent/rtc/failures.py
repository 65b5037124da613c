"""Counts failures inside the WebRTC stack, and logs each kind once per peer.

aiortc and aioice run a connection in tasks that nobody awaits and in callbacks of the event loop.
An exception there would end a call, or a part of it, silently.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar

logger = logging.getLogger(__name__)

counts: Counter[str] = Counter()
"""How many failures of each kind this process has had."""

dropped_datagrams = 0
"""How many datagrams were dropped: strangers', empty or malformed ones, and those beyond a full
queue, in either direction."""


def _ignore(what: str) -> None:
    """Does nothing."""


class Failures:
    """The failures of one peer.

    Args:
        on_fatal: called with the failure's name if the connection can't continue.

    Attributes:
        closing: whether the peer is being closed; failures are then logged for debugging only.
    """

    def __init__(self, on_fatal: Callable[[str], None]) -> None:
        self._on_fatal = on_fatal
        self._logged: set[tuple[str, type[BaseException]]] = set()
        self.closing = False

    def close(self) -> None:
        """Marks the peer as closing.

        Timers and tasks keep their context, but not the peer through it.
        """
        self.closing = True
        self._on_fatal = _ignore

    def note(self, what: str, error: BaseException, fatal: bool) -> None:
        """Counts a failure, logs it the first time, and calls `on_fatal` if it is fatal."""
        if self.closing:
            # aiortc's tasks and callbacks that still run raise while their connection is closed.
            logger.debug("%s while its connection was closed: %r", what, error)
            return
        counts[what] += 1
        if (key := (what, type(error))) not in self._logged:
            self._logged.add(key)
            logger.error("%s.", what, exc_info=error)
        if fatal:
            self._on_fatal(what)


# Tasks, timers and sockets inherit this variable from the peer that created them.
current: ContextVar[Failures | None] = ContextVar("failures", default=None)
_of_no_peer = Failures(_ignore)


def report(
    what: str, error: BaseException, *, fatal: bool = False, of: Failures | None = None
) -> None:
    """Notes a failure of a peer.

    Args:
        what: what failed: one of a few sentences, without the full stop.
        error: the cause.
        fatal: whether the connection can't continue after it.
        of: the peer's failures; None for the peer in whose context this is called.
    """
    (of or current.get() or _of_no_peer).note(what, error, fatal)


def drop_datagram() -> None:
    """Counts a datagram that is dropped."""
    global dropped_datagrams
    dropped_datagrams += 1
