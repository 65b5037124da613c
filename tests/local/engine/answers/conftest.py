"""Fixtures of the tests of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from vision_agent.local.contract import Request, SeenFrame
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.answers.taught_objects import TaughtObjects
from vision_agent.local.engine.answers.taught_store import TaughtStore
from vision_agent.local.engine.language.understanding import Proposal, Understanding
from vision_agent.local.engine.sight import Box, Observations, Sight, TaughtThing


class SightOnce(Sight):
    """Looks for real, and at the same frames for the same things only once: a look costs half a
    second of CPU, and many questions are asked about a few frames."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, Observations] = {}

    async def observe(
        self,
        frames: Sequence[SeenFrame],
        needs: frozenset[str],
        *,
        colour: str = "",
        taught: Sequence[TaughtThing] = (),
        at: Box | None = None,
    ) -> Observations:
        asked = (tuple(frames), needs, colour, at)
        if taught:
            return await super().observe(frames, needs, colour=colour, taught=taught, at=at)
        if asked not in self._seen:
            self._seen[asked] = await super().observe(frames, needs, colour=colour, at=at)
        return self._seen[asked]


class UnderstandingOnce(Understanding):
    """Places each sentence for real, and only once: the same are asked about many frames."""

    def __init__(self) -> None:
        super().__init__()
        self._placed_before: dict[object, Request | None] = {}

    async def request(
        self,
        text: str,
        proposal: Proposal | None = None,
        names: Collection[str] = (),
        agents: Collection[str] = (),
        *,
        spoken: bool = True,
    ) -> Request | None:
        asked = (text, proposal, frozenset(names), frozenset(agents), spoken)
        if asked not in self._placed_before:
            found = await super().request(text, proposal, names, agents, spoken=spoken)
            self._placed_before[asked] = found
        return self._placed_before[asked]


@pytest.fixture(scope="session")
def sight() -> Iterator[Sight]:
    """One for all tests of a worker: its looks are made in threads, not on an event loop."""
    sight = SightOnce()
    yield sight
    asyncio.run(sight.close())


@pytest.fixture(scope="session")
def understanding() -> Iterator[Understanding]:
    """One likewise: to load its encoder takes 0.3 s of CPU."""
    understanding = UnderstandingOnce()
    yield understanding
    understanding.close()


@pytest.fixture
def responder(sight: Sight, understanding: Understanding, tmp_path: Path) -> Responder:
    return Responder(sight, TaughtObjects(sight, TaughtStore(tmp_path)), understanding)
