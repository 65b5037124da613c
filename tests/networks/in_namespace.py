"""`python -m tests.networks.in_namespace NAME MODULE …`: a module's program in a network namespace.

Its child processes are in the namespace, too: the fork server, which is reached by sockets that
were made before, forks this program for each of them.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import runpy
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.support import forked
from vision_agent.live import local_process
from vision_agent.server_process import ServerProcess

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000


def enter(namespace: str) -> None:
    """Moves this thread, and what it starts from now on, into a namespace of `ip netns`."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(Path("/run/netns", namespace), os.O_RDONLY)
    try:
        if libc.setns(handle, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(handle)


async def run_inside(namespace: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine in a thread that is in the namespace, on an event loop of its own."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    ready = threading.Event()
    inner: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

    async def noted() -> T:
        task = asyncio.current_task()
        assert task is not None
        inner.append((asyncio.get_running_loop(), task))
        ready.set()
        return await work()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.cancelled():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def thread() -> None:
        try:
            enter(namespace)
            value = asyncio.run(noted())
        except BaseException as error:
            ready.set()
            told = RuntimeError("cancelled") if isinstance(error, asyncio.CancelledError) else error
            loop.call_soon_threadsafe(settle, None, told)
        else:
            loop.call_soon_threadsafe(settle, value, None)

    running = threading.Thread(target=thread, name=f"in {namespace}")
    running.start()
    try:
        return await result
    except asyncio.CancelledError:
        ready.wait()
        for own_loop, task in inner:
            if not own_loop.is_closed():
                own_loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        await asyncio.to_thread(running.join)


if __name__ == "__main__":
    _, namespace, module, *arguments = sys.argv
    # A socket belongs to the namespace that it was made in.
    forked.sockets = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    enter(namespace)

    async def start(python: str, option: str, module: str, *rest: str, **how: Any) -> Any:
        inside = ("tests.networks.in_namespace", namespace, module)
        return await forked.start_forked(python, option, *inside, *rest, **how)

    ServerProcess._start_process = staticmethod(start)
    local_process._Child.start_process = staticmethod(start)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
