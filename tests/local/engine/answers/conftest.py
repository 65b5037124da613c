"""Fixtures of the tests of answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.answers.taught_objects import TaughtObjects
from vision_agent.local.engine.answers.taught_store import TaughtStore
from vision_agent.local.engine.sight import Sight


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sight() -> AsyncIterator[Sight]:
    sight = Sight()
    yield sight
    await sight.close()


@pytest.fixture
def responder(sight: Sight, tmp_path: Path) -> Responder:
    return Responder(sight, TaughtObjects(sight, TaughtStore(tmp_path)))
