import asyncio
from collections.abc import AsyncGenerator

import pytest

from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.local.contract import Say, ToolRequest
from vision_agent.local.engine.answers.sign_of_life import (
    AFTER_S,
    SENTENCES,
    with_signs_of_life,
)


class Slow:
    """An answer whose second part waits for `page_read`."""

    def __init__(self) -> None:
        self.page_read = asyncio.Event()
        self.closed = False

    async def parts(self) -> AsyncGenerator[Say | ToolRequest, None]:
        try:
            yield Say("Let me read it.")
            await self.page_read.wait()
            yield Say("It says: platform nine.")
        finally:
            self.closed = True


async def test_an_answer_that_takes_long_says_so_until_it_comes() -> None:
    slow = Slow()
    said = []
    async for part in with_signs_of_life(slow.parts(), after_s=0.01):
        said.append(part.text)
        if len(said) == 3:
            slow.page_read.set()
    assert said[:3] == ["Let me read it.", "One moment, please.", "I'm still looking."]
    assert said[-1] == "It says: platform nine."
    assert slow.closed


async def test_an_answer_that_never_comes_says_so_for_a_while_and_no_longer() -> None:
    slow = Slow()
    parts = with_signs_of_life(slow.parts(), after_s=0.01)
    said = [(await anext(parts)).text for _ in range(1 + len(SENTENCES))]
    assert said[1:] == list(SENTENCES)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(parts), 0.2)
    assert slow.closed


async def test_who_is_cut_off_while_it_looks_looks_no_further() -> None:
    slow = Slow()
    parts = with_signs_of_life(slow.parts(), after_s=0.01)
    for _ in range(2):
        await anext(parts)
    await parts.aclose()
    assert slow.closed


async def test_what_goes_wrong_in_an_answer_goes_wrong_outside() -> None:
    async def broken() -> AsyncGenerator[Say | ToolRequest, None]:
        yield Say("Let me read it.")
        raise RuntimeError("a model of the text reader is missing")

    parts = with_signs_of_life(broken())
    await anext(parts)
    with pytest.raises(RuntimeError, match="text reader"):
        await anext(parts)


def test_the_sign_comes_well_before_a_caller_takes_the_model_for_dead() -> None:
    assert 0.7 * Timeouts().stall_s >= AFTER_S
