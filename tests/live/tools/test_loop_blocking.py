import asyncio
import time
from collections.abc import Coroutine

import pytest

from vision_agent.live.tools.loop_blocking import timed

BLOCKED_S = 0.05


async def run(steps: Coroutine[object, object, object]) -> tuple[object, list[float]]:
    took: list[float] = []
    return await timed(steps, took.append), took


async def test_each_step_is_told_and_what_is_waited_for_does_not_count() -> None:
    async def steps() -> str:
        await asyncio.sleep(4 * BLOCKED_S)
        time.sleep(BLOCKED_S)  # noqa: ASYNC251
        await asyncio.sleep(0)
        return "done"

    began_s = time.monotonic()
    result, took = await run(steps())
    whole_s = time.monotonic() - began_s
    assert result == "done"
    assert len(took) == 3
    assert took[1] >= BLOCKED_S
    assert sum(took) <= whole_s - 3 * BLOCKED_S


async def test_a_failure_of_what_is_waited_for_is_the_coroutines_to_deal_with() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def steps() -> str:
        with pytest.raises(LookupError):
            await future
        raise KeyError("its own")

    asyncio.get_running_loop().call_soon(future.set_exception, LookupError("gone"))
    with pytest.raises(KeyError, match="its own"):
        await run(steps())


async def test_it_is_cancelled_like_any_other() -> None:
    cleaned_up = False

    async def steps() -> None:
        nonlocal cleaned_up
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up = True

    task = asyncio.ensure_future(run(steps()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned_up


async def test_a_timeout_inside_and_outside_works() -> None:
    async def steps() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "in time"
        return ""

    assert (await run(steps()))[0] == "in time"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run(asyncio.Event().wait())
