"""Runs checks concurrently, each within its deadline."""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from vision_agent.doctor.finding import Finding

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        name: The name that its findings carry.
        look: Runs the check; an exception is reported as a problem.
        deadline_s: How long the check may take.
        on_timeout: The advice if it takes longer.
    """

    name: str
    look: Callable[[], Awaitable[Sequence[Finding]]]
    deadline_s: float = 10.0
    on_timeout: str = "Try again when the machine is less busy."


async def run_checks(
    checks: Iterable[Check], on_finding: Callable[[Finding], None] = lambda finding: None
) -> list[Finding]:
    """Run all checks at once.

    Args:
        checks: The checks.
        on_finding: Called with each finding as soon as it is known.

    Returns:
        All findings, in the order of the checks.
    """

    async def run(check: Check) -> Sequence[Finding]:
        try:
            async with asyncio.timeout(check.deadline_s):
                found = await check.look()
        except TimeoutError:
            text = f"No result within {check.deadline_s:g} s."
            found = [Finding(check.name, "problem", text, check.on_timeout)]
        except Exception as error:
            # A failing check is a finding too, and must not hide the others.
            text = f"The check failed: {type(error).__name__}: {error}"
            found = [Finding(check.name, "problem", text, "This is a bug of vision-agent's.")]
        for finding in found:
            on_finding(finding)
        return found

    async with asyncio.TaskGroup() as running:
        tasks = [running.create_task(run(check)) for check in checks]
    return [finding for task in tasks for finding in task.result()]


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a daemon thread: even if it hangs, the program can end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(act: Callable[[], None]) -> None:
        if not done.cancelled():
            act()

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            act = functools.partial(done.set_exception, error)
        else:
            act = functools.partial(done.set_result, result)
        try:
            loop.call_soon_threadsafe(finish, act)
        except RuntimeError:
            return  # the deadline is long past and the loop is closed

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await done


async def resolve(host: str, port: int) -> None:
    """Look up a name beforehand: asyncio's own look-up can't be cancelled.

    Raises:
        OSError: The name has no address.
    """
    await in_thread(functools.partial(socket.getaddrinfo, host, port))
