"""Log lines that any client can provoke, at most once a minute each."""

from __future__ import annotations

import logging
import time

SAY_AGAIN_S = 60.0
MAX_MESSAGES = 100


class OncePerMinute(logging.Filter):
    """Lets a warning through if the same text was not logged within `SAY_AGAIN_S`.

    uvicorn warns of every request that is not HTTP, and of every upgrade: a client that sends
    nothing else would fill the log, and each line is written on the event loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said_at_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record; errors always are."""
        if record.levelno != logging.WARNING:
            return True
        now_s, text = time.monotonic(), str(record.msg)
        if now_s - self._said_at_s.get(text, float("-inf")) < SAY_AGAIN_S:
            return False
        if len(self._said_at_s) >= MAX_MESSAGES:
            self._said_at_s.clear()
        self._said_at_s[text] = now_s
        return True
