"""Contains exceptions of foreign code that would end the server or our task."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def contained() -> Iterator[None]:
    """Turns SystemExit and foreign cancellations into errors; our task's own cancellation passes.

    Raises:
        RuntimeError: The code within raised one of them.
    """
    try:
        yield
    except SystemExit as error:
        raise RuntimeError("it raised SystemExit") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise RuntimeError("it awaited what was cancelled") from error
