"""The process in which a synthesiser speaks."""

import asyncio

import pytest

from vision_agent.local.engine.speech.voices import voice_named
from vision_agent.local.engine.speech.worker_messages import END, SAY, STOP, Order
from vision_agent.local.engine.worker_pipe import WorkerMessage
from vision_agent.local.engine.worker_process import WorkerProcess


@pytest.mark.parametrize("name", ["hibari", "espeak"])
async def test_a_stop_is_heard_in_the_middle_of_a_sentence(name: str) -> None:
    order = Order("many words in one breath " * 20, 0, ("en-us",), voice_named(None))

    async def pieces(stopped: bool) -> int:
        answers: asyncio.Queue[WorkerMessage] = asyncio.Queue()

        def on_message(message: WorkerMessage) -> None:
            if stopped and answers.empty():
                worker.send(STOP, 1)
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
