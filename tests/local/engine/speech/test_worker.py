"""The process in which a synthesiser speaks."""

import asyncio
import fcntl
import sys
import termios
import time

import pytest

from vision_agent.local.engine.speech.voices import voice_named
from vision_agent.local.engine.speech.worker_messages import END, SAY, STOP, Order
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerProcess


def wait_until_read(pid: int) -> None:
    """Waits until a process has read its standard input.

    It blocks the event loop: the worker, whose pieces nobody reads, soon waits itself, and can't
    come to the end of its sentence before the kernel lets it read.
    """
    with open(f"/proc/{pid}/fd/0", "rb") as pipe:
        while any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))):
            time.sleep(0.001)


@pytest.mark.skipif(sys.platform != "linux", reason="a process's pipes are listed in /proc")
@pytest.mark.parametrize("name", ["hibari", "espeak"])
async def test_a_stop_is_heard_in_the_middle_of_a_sentence(name: str) -> None:
    order = Order("many words in one breath " * 20, 0, ("en-us",), voice_named(None))

    async def pieces(stopped: bool) -> int:
        answers: asyncio.Queue[WorkerMessage] = asyncio.Queue()

        def on_message(message: WorkerMessage) -> None:
            if stopped and answers.empty():
                worker.send(STOP, 1)
                assert worker.pid is not None
                wait_until_read(worker.pid)
            answers.put_nowait(message)

        module = f"vision_agent.local.engine.speech.{name}_worker"
        worker = WorkerProcess(module, "The worker", on_message)
        worker.start()
        await worker.ready(60)
        worker.send(SAY, 1, order.to_bytes())
        async with asyncio.timeout(60):
            count = 0
            while (await answers.get()).op != END:
                count += 1
        await worker.close()
        return count

    whole = await pieces(stopped=False)
    assert whole > 200
    assert 0 < await pieces(stopped=True) < whole / 2
