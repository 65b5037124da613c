"""Sight and understanding that the tests of answers share."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vision_agent.local.contract import Request, SeenFrame
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.answers.taught_objects import TaughtObjects
from vision_agent.local.engine.answers.taught_store import TaughtStore
from vision_agent.local.engine.language.understanding import Proposal, Understanding
from vision_agent.local.engine.sight import Box, Observations, Sight, TaughtThing


class Remembering:
    """A part of sight that remembers results: it calls no method twice with the same arguments."""

    def __init__(self, part: Any) -> None:
        self._part = part
        self._results: dict[tuple[str, bytes], Any] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def remembered(*arguments: object) -> Any:
            asked = name, hashlib.sha256(pickle.dumps(arguments)).digest()
            if asked not in self._results:
                self._results[asked] = getattr(self._part, name)(*arguments)
            return self._results[asked]

        return remembered


class SightOnce(Sight):
    """Real sight that looks only once at the same frames for the same things.

    A look costs half a second of CPU, and many questions are asked about few frames. Looks for
    different things share the results of sight's parts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, Observations] = {}
        for part in (self._names, self._faces, self._reader, self._codes):
            part._make = partial(lambda make: Remembering(make()), part._make)

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
    """Real understanding of each sentence, but only once: many tests ask the same ones."""

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
    """Shared by all tests of a worker: it works in threads, so it belongs to no event loop."""
    sight = SightOnce()
    yield sight
    asyncio.run(sight.close())


@pytest.fixture(scope="session")
def understanding() -> Iterator[Understanding]:
    """Shared as well: loading its encoder takes 0.3 s of CPU."""
    understanding = UnderstandingOnce()
    yield understanding
    understanding.close()


@pytest.fixture
def responder(sight: Sight, understanding: Understanding, tmp_path: Path) -> Responder:
    return Responder(sight, TaughtObjects(sight, TaughtStore(tmp_path)), understanding)
