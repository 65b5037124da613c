"""How long the steps of a coroutine hold up the event loop."""

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
    """Await `steps` as ever, and tell `on_step` after each of its steps how many seconds it took.

    A step is what runs between two moments in which something is waited for: nothing else on the
    event loop runs meanwhile.
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
            # Cancelled, or what was waited for has failed: it is the coroutine's to deal with.
            resume, value = steps.throw, error
