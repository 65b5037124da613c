"""Exceptions by which the code of the program around us would end more than itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def contained() -> Iterator[None]:
    """Makes failures of what other exceptions would end: the server (SystemExit), or our task.

    A cancellation of our own task passes.

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
