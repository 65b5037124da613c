"""A server for the calls of a module, and a connected caller for each test."""

import pytest_asyncio

from tests.conftest import serving
from tests.support.dialling import Dialled
from tests.support.scenarios import IN_TONES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    async with serving("--scenario", str(IN_TONES)) as server:
        yield server.url


@pytest_asyncio.fixture(loop_scope="module")
async def caller(url):
    caller = Dialled(url)
    await caller.connect()
    yield caller
    await caller.peer.close()
