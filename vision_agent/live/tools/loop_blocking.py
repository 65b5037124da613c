"""How long a coroutine blocks the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


@coroutine
def timed(
    steps: Coroutine[Any, Any, T], on_step: Callable[[float], None]
) -> Generator[Any, Any, T]:
    """Await `steps`, and call `on_step` with the duration of each step in seconds.

    A step runs from one suspension of the coroutine to the next; nothing else on the event loop
    runs meanwhile.
    """
    resume: Callable[[Any], Any] = steps.send
    value: Any = None
    while True:
        began_s = time.monotonic()
        try:
            awaited = resume(value)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            on_step(time.monotonic() - began_s)
        try:
            resume, value = steps.send, (yield awaited)
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:
            # Cancelled, or what was awaited has failed: the coroutine handles it.
            resume, value = steps.throw, error
