"""The keyboard: single keys of a terminal, or lines of any standard input."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator

# How far a pipe may run ahead of the conversation before its writer has to wait.
_MAX_LINES = 100


@contextlib.contextmanager
def single_keys(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Call `on_key` for each key pressed while the context lasts, then restore the terminal.

    Ctrl-C stays a signal. Yields False, and calls nothing, without a Unix terminal.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read() -> None:
        for key in os.read(descriptor, 64).decode("utf-8", "replace"):
            on_key(key)

    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        loop.add_reader(descriptor, read)
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def lines() -> AsyncIterator[str]:
    """Yield the lines of standard input, without line ends, until it closes."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(_MAX_LINES)

    def hand_over(line: str | None) -> None:
        room.acquire()
        with contextlib.suppress(RuntimeError):  # the call is over and its loop is closed
            loop.call_soon_threadsafe(queue.put_nowait, line)

    def read() -> None:
        # Not through sys.stdin: this thread would hold its lock when the program ends.
        rest = b""
        while data := os.read(0, 4096):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                hand_over(line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            hand_over(rest.decode("utf-8", "replace"))
        hand_over(None)

    # A daemon: nothing can wake it from reading if the call ends first.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
        room.release()
        yield line
