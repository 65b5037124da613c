"""What fails inside the WebRTC stack, made visible: counted, and logged once per call.

aiortc and aioice run a connection in tasks that nobody awaits, and in callbacks of the event loop.
An exception there would end a call, or a part of it, with nothing said to anybody.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar

logger = logging.getLogger(__name__)

counts: Counter[str] = Counter()
"""How often each thing failed in this process."""

dropped_datagrams = 0
"""Datagrams of strangers, and empty or malformed ones."""


class Failures:
    """The failures of one peer.

    Args:
        on_fatal: called with what failed when the connection can't go on.
    """

    def __init__(self, on_fatal: Callable[[str], None]) -> None:
        self._on_fatal = on_fatal
        self._logged: set[tuple[str, type[BaseException]]] = set()
        self.closing = False

    def note(self, what: str, error: BaseException, fatal: bool) -> None:
        """Logs a failure the first time, and passes on that it is fatal."""
        if self.closing:
            # aiortc raises in what still runs while it is taken apart.
            logger.debug("%s while its connection was closed: %r", what, error)
            return
        counts[what] += 1
        if (key := (what, type(error))) not in self._logged:
            self._logged.add(key)
            logger.error("%s.", what, exc_info=error)
        if fatal:
            self._on_fatal(what)


# Tasks, timers and sockets inherit it from the peer that made them.
current: ContextVar[Failures | None] = ContextVar("failures", default=None)
_of_no_peer = Failures(lambda what: None)


def report(
    what: str, error: BaseException, *, fatal: bool = False, of: Failures | None = None
) -> None:
    """Notes a failure of a peer.

    Args:
        what: what failed, a sentence without its full stop; one of a few.
        error: its cause.
        fatal: whether the connection can't go on without it.
        of: the peer; None for the one in whose context this is called.
    """
    (of or current.get() or _of_no_peer).note(what, error, fatal)


def drop_datagram() -> None:
    """Counts a datagram that is not let in."""
    global dropped_datagrams
    dropped_datagrams += 1
