"""File descriptors: raises their limit, and logs one line a minute when none is left."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

ENOUGH = 65_536
"""The highest limit asked for: some programs iterate over every number below it."""

SAY_AGAIN_S = 60.0

NO_DESCRIPTOR_LEFT = (errno.EMFILE, errno.ENFILE)


def raise_limit() -> int:
    """Raise the soft limit to the hard one, as Go's runtime does; returns the new limit."""
    if resource is None:
        return ENOUGH
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ENOUGH
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def is_shortage(error: BaseException | None) -> bool:
    """Whether an error says that no descriptor is left."""
    return isinstance(error, OSError) and error.errno in NO_DESCRIPTOR_LEFT


class DescriptorShortage:
    """Builds the log line about a shortage, at most once in `SAY_AGAIN_S`. Time is an argument."""

    def __init__(self) -> None:
        self._said_at_s = float("-inf")
        self._unsaid = 0

    def line(self, now_s: float) -> str | None:
        """The line to log now; None if it was logged recently."""
        if now_s - self._said_at_s < SAY_AGAIN_S:
            self._unsaid += 1
            return None
        times = f" ({self._unsaid} times since it was last said)" if self._unsaid else ""
        self._said_at_s, self._unsaid = now_s, 0
        return (
            f"No file descriptor is left{times}: new connections wait. Raise the limit of the "
            "process (ulimit -n, or LimitNOFILE in a systemd unit)."
        )


@contextmanager
def log_shortage_once(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Make the event loop log a shortage in one line without a traceback, within the context.

    asyncio's own handler prints a traceback for each of up to `backlog` failures to accept, at
    every attempt (CPython issue 151615).
    """
    before = loop.get_exception_handler()
    shortage = DescriptorShortage()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if is_shortage(context.get("exception")):
            if line := shortage.line(loop.time()):
                logger.error(line)
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
