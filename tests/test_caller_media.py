"""What a caller says and shows, from a real peer through to the answer."""

import asyncio

import numpy as np
import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.dialling import Dialled
from tests.rtc.calling import PictureSource, plain
from tests.test_call import said

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    async with serving() as server:
        yield server.url


def error(message: dict) -> str | None:
    return message["data"]["message"] if message["type"] == "error" else None


async def answer_to(caller: Dialled, text: str) -> str:
    before = len(caller.messages)
    caller.send("send-text", {"content": text})
    return said(await caller.wait_for(lambda m: bool(said(m)) and m in caller.messages[before:]))


async def test_a_camera_whose_pictures_are_too_large_is_said_once_and_the_call_goes_on(url):
    def huge(n: int) -> np.ndarray:
        return plain(10, 20, 30, 4112, 32)

    caller = Dialled(url, PictureSource(huge, fps=4))
    await caller.connect()
    try:
        told = await caller.wait_for(lambda m: bool(error(m)))
        assert error(told) == (
            "Your camera's pictures are too large (4112x32 pixels): at most 4096x2304 are looked "
            "at. Choose a lower resolution."
        )
        assert await answer_to(caller, "hello")
        await asyncio.to_thread(lambda: None)
        assert sum(bool(error(m)) for m in caller.messages) == 1
    finally:
        await caller.peer.close()
