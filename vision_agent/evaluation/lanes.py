"""Bounds the calls that run at once; calls whose times matter have the machine to themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vision_agent.evaluation.trials import Trial

LIGHT_PER_HEAVY = 4


class Lanes:
    """Admits trials in the order in which they ask.

    Args:
        heavy: How many calls that the engine answers, or that take virtual time, run at once;
            `LIGHT_PER_HEAVY` light calls count as one.
    """

    def __init__(self, heavy: int) -> None:
        self._units = heavy * LIGHT_PER_HEAVY
        self._taken = 0
        self._door = asyncio.Lock()
        self._left = asyncio.Condition()

    @property
    def most(self) -> int:
        """How many trials can go on at once."""
        return self._units

    @asynccontextmanager
    async def lane(self, trial: Trial) -> AsyncIterator[None]:
        """Wait until there is room for a trial, and keep it for as long as the context lasts."""
        wanted = self._wanted(trial)
        # A heavy trial that waits is not overtaken by light ones.
        async with self._door, self._left:
            await self._left.wait_for(lambda: self._taken + wanted <= self._units)
            self._taken += wanted
        try:
            yield
        finally:
            async with self._left:
                self._taken -= wanted
                self._left.notify_all()

    def _wanted(self, trial: Trial) -> int:
        if trial.is_virtual:
            return LIGHT_PER_HEAVY  # it never waits, so it takes a core
        if trial.is_timed and trial.server is not None:
            return self._units
        return 1 if trial.is_light else LIGHT_PER_HEAVY
