import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator

import cv2
import numpy as np
import psutil
import pytest
import pytest_asyncio

from tests.local.recordings import silence, spoken
from vision_agent.local.contract import (
    HearingOptions,
    Say,
    SeenFrame,
    SpeechStopped,
    Transcript,
    Turn,
)
from vision_agent.local.engine.engine import LocalEngine
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.speech.synthesis import SpeechError

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[LocalEngine]:
    engine = await LocalEngine.start()
    yield engine
    await engine.close()


def card(bgr: tuple[int, int, int]) -> SeenFrame:
    pixels = np.full((480, 640, 3), 190, np.uint8)
    pixels[90:390, 170:470] = bgr
    done, jpeg = cv2.imencode(".jpg", pixels)
    assert done
    return SeenFrame(jpeg.tobytes(), 0)


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_a_spoken_question_about_a_frame_gets_a_spoken_answer(engine: LocalEngine) -> None:
    ears = engine.hearing(HearingOptions())
    question = spoken("what-colour-is-this") + silence(900)
    events = [e for i in range(0, len(question), 640) for e in ears.feed(question[i : i + 640])]
    assert isinstance(events[-1], SpeechStopped)
    heard = await ears.transcript()
    await ears.close()
    turn = Turn(heard, frames=[card((30, 30, 200))])
    sentence = await anext(aiter(engine.answer(turn)))
    assert isinstance(sentence, Say)
    assert "red" in sentence.text
    pieces = [piece async for piece in engine.speak(sentence.text, "Kore", "en-US")]
    assert 24_000 < sum(map(len, pieces)) < 480_000
    assert all(len(piece) <= 4_800 for piece in pieces)


async def test_without_a_frame_it_says_that_it_sees_nothing(engine: LocalEngine) -> None:
    turn = Turn(Transcript("what do you see"))
    [sentence] = [part async for part in engine.answer(turn)]
    assert isinstance(sentence, Say)
    assert "can't see anything" in sentence.text


async def test_conversations_hear_apart_from_each_other(engine: LocalEngine) -> None:
    first, second = engine.hearing(HearingOptions()), engine.hearing(HearingOptions())
    for name, ears in (("hello", first), ("what-changed", second)):
        ears.feed(spoken(name) + silence(900))
    heard = [await ears.transcript() for ears in (second, first)]
    assert [normalise(one.text) for one in heard] == ["what changed", "hello"]
    assert all(one.understood for one in heard)
    await first.close()
    await second.close()


async def test_an_answer_that_is_left_early_is_closed(engine: LocalEngine) -> None:
    async with contextlib.aclosing(engine.speak("This is a long sentence. " * 20)) as pieces:
        async for _ in pieces:
            break
    whole = [piece async for piece in engine.speak("Okay.")]
    assert 10_000 < sum(map(len, whole)) < 72_000


@pytest.mark.usefixtures("children_as_always")
async def test_closing_ends_every_process_and_thread_also_at_once_after_the_start() -> None:
    before = children()
    threads = set(threading.enumerate())
    engine = await LocalEngine.start()
    await engine.close()
    assert children() == before

    engine = await LocalEngine.start()
    assert [piece async for piece in engine.speak("Hello.")]
    _ = [part async for part in engine.answer(Turn(Transcript("what do you see")))]
    assert len(children() - before) == 2
    await engine.close()
    await engine.close()
    assert children() == before
    left = {thread.name for thread in set(threading.enumerate()) - threads}
    # asyncio keeps the threads of its own executor until the loop ends.
    assert {name for name in left if not name.startswith("asyncio")} == set()
    with pytest.raises(SpeechError):
        await anext(aiter(engine.speak("Hello.")))


@pytest.mark.usefixtures("children_as_always")
async def test_no_worker_outlives_a_parent_that_is_killed() -> None:
    code = (
        "import asyncio\n"
        "from vision_agent.local.engine.engine import LocalEngine\n"
        "async def main():\n"
        "    engine = await LocalEngine.start()\n"
        "    [p async for p in engine.speak('Hello.')]\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert parent.stdout is not None
    assert await asyncio.wait_for(parent.stdout.readline(), 90) == b"up\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) == 2
    parent.kill()
    await parent.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers, 20)
    assert alive == []


async def test_starting_takes_no_time() -> None:
    started_s = time.process_time()
    engine = await LocalEngine.start()
    assert time.process_time() - started_s < 0.5
    await engine.close()
