"""A real child process that answers, dies, refuses or hangs."""

import asyncio
import os
import signal
import time

import psutil
import pytest

from tests.support.waiting import until
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerFailed, WorkerProcess

pytestmark = pytest.mark.usefixtures("children_as_always")


class Odd:
    """A worker, and the messages and losses that its parent is told."""

    def __init__(self, behaviour: str) -> None:
        self.messages: asyncio.Queue[WorkerMessage] = asyncio.Queue()
        self.losses: asyncio.Queue[str] = asyncio.Queue()
        self.process = WorkerProcess(
            "tests.local.engine.odd_worker",
            "The odd one",
            self.messages.put_nowait,
            on_lost=self.losses.put_nowait,
            environment={"ODD_WORKER": behaviour},
        )

    async def echo(self, payload: bytes) -> WorkerMessage:
        assert self.process.send(7, 2**32 - 1, payload)
        async with asyncio.timeout(30):
            return await self.messages.get()


async def test_what_it_is_sent_comes_back_whatever_a_library_prints() -> None:
    odd = Odd("echoes")
    odd.process.start()
    await odd.process.ready(60)
    for payload in (b"", b"one", bytes(range(256)) * 1000):
        assert await odd.echo(payload) == WorkerMessage(7, 2**32 - 1, payload)
    await odd.process.close()


async def test_a_refusal_is_told_in_its_own_words_and_it_is_not_started_again() -> None:
    odd = Odd("refuses")
    for _ in range(2):
        odd.process.start()
        with pytest.raises(WorkerFailed, match=r"^There is nothing to work with\.$"):
            await odd.process.ready(60)
    assert odd.process.restarts == 0
    assert odd.losses.empty()
    children = psutil.Process().children()
    assert not [child for child in children if "tests.local.engine.odd_worker" in child.cmdline()]
    await odd.process.close()


async def test_a_crash_at_the_start_is_told_at_once_and_another_is_tried() -> None:
    odd = Odd("crashes")
    odd.process.start()
    for _ in range(2):
        with pytest.raises(WorkerFailed, match=r"The odd one ended unexpectedly .*status 3"):
            await odd.process.ready(60)
    assert odd.process.restarts > 0
    assert odd.losses.empty()
    await odd.process.close()


async def test_one_that_hangs_at_the_start_is_told_of_and_ended() -> None:
    odd = Odd("hangs")
    odd.process.start()
    with pytest.raises(WorkerFailed, match=r"The odd one did not start within 0\.5 s"):
        await odd.process.ready(0.5)
    pid = odd.process.pid
    assert pid is not None
    assert not odd.process.send(7, 1)
    began = time.perf_counter()
    await odd.process.close()
    assert time.perf_counter() - began < 3
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("death", ["an exception", "a signal"])
async def test_a_death_is_told_and_another_takes_its_place(death: str) -> None:
    odd = Odd("echoes")
    odd.process.start()
    await odd.process.ready(60)
    pid = odd.process.pid
    assert pid is not None
    if death == "a signal":
        os.kill(pid, signal.SIGKILL)
    else:
        odd.process.send(7, 1, b"die")
    async with asyncio.timeout(30):
        words = await odd.losses.get()
    status = -signal.SIGKILL if death == "a signal" else 1
    assert words == f"The odd one ended unexpectedly (exit status {status})."
    await odd.process.ready(60)
    assert odd.process.pid != pid
    assert (await odd.echo(b"again")).payload == b"again"
    await odd.process.close()
    assert odd.losses.empty()


async def test_it_can_be_started_again_after_it_was_closed_but_not_twice() -> None:
    odd = Odd("echoes")
    for _ in range(2):
        odd.process.start()
        await odd.process.ready(60)
        pid = odd.process.pid
        odd.process.start()
        assert (await odd.echo(b"here")).payload == b"here"
        assert odd.process.pid == pid
        await odd.process.close()
        assert odd.process.pid is None
        assert not odd.process.send(7, 1)


async def test_ctrl_c_is_left_to_the_parent() -> None:
    odd = Odd("echoes")
    odd.process.start()
    await odd.process.ready(60)
    pid = odd.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    assert (await odd.echo(b"still here")).payload == b"still here"
    await odd.process.close()


@pytest.mark.parametrize("which", ["on_message", "on_ready", "on_lost"])
async def test_a_callback_that_fails_is_logged_and_the_worker_serves_again(
    which: str, caplog: pytest.LogCaptureFixture
) -> None:
    answers: asyncio.Queue[WorkerMessage] = asyncio.Queue()
    failures = ["once"]

    def failing_once(name: str) -> None:
        if name == which and failures:
            failures.pop()
            raise ValueError("a callback of ours fails")

    def on_message(message: WorkerMessage) -> None:
        failing_once("on_message")
        answers.put_nowait(message)

    worker = WorkerProcess(
        "tests.local.engine.odd_worker",
        "The odd one",
        on_message,
        on_ready=lambda: failing_once("on_ready"),
        on_lost=lambda _: failing_once("on_lost"),
        environment={"ODD_WORKER": "echoes"},
    )
    worker.start()
    await worker.ready(60)
    worker.send(7, 1, b"die" if which == "on_lost" else b"one")
    async with asyncio.timeout(60):
        await until(lambda: worker.restarts)
        await worker.ready(60)
        worker.send(7, 2, b"two")
        assert (await answers.get()).payload == b"two"
    assert "a callback of ours fails" in caplog.text
    await worker.close()
