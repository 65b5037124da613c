"""Shares the use of each day with all servers, in the background."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vision_agent.calls.allowance import DAY_S, DailyUse

if TYPE_CHECKING:
    from vision_agent.live.sessions.shared_counts import SharedCounts

WRITE_EVERY_S = 5.0
"""Other servers may lack this much of every call, and a killed server loses it."""


class SharedDays:
    """Writes the use of calls to the counts of all servers, and reads the others' use.

    Args:
        counts: The counts of all servers.
        uses: The use by each kind of caller, by the kind's name.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        counts: SharedCounts,
        uses: Mapping[str, DailyUse],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._counts = counts
        self._uses = {kind: use for kind, use in uses.items() if use.limited}
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        for use in self._uses.values():
            use.keep_news()

    async def recall(self, keys: Mapping[str, str]) -> None:
        """Read the earlier use of those who begin a call.

        Args:
            keys: A key for each kind; an empty one stands for an unknown caller.
        """
        asked = {_who(kind, key): (kind, key) for kind, key in keys.items() if key}
        asked = {who: of for who, of in asked.items() if of[0] in self._uses}
        if not asked:
            return
        day = int(self._clock() // DAY_S)
        for who, used in (await self._counts.used(day, asked) or {}).items():
            kind, key = asked[who]
            self._uses[kind].learn(day, key, *used)

    def start(self) -> None:
        """Begin to write."""
        if self._uses:
            self._task = asyncio.create_task(self._run(), name="allowances")

    async def close(self) -> None:
        """Write the rest, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.write()

    async def write(self) -> None:
        """Write what was used since the last time; what can't be written waits for the next."""
        days: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
        for kind, use in self._uses.items():
            for day, key in use.news:
                days[day][_who(kind, key)] = kind, key
        for day, of in days.items():
            # Taken out now: what is used while the database answers is written the next time.
            more = {who: self._uses[kind].news.pop((day, key)) for who, (kind, key) in of.items()}
            used = await self._counts.add_use(day, more)
            for who, (kind, key) in of.items():
                if used is None:
                    self._uses[kind].put_back(day, key, *more[who])
                elif who in used:
                    self._uses[kind].learn(day, key, *used[who])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()


def _who(kind: str, key: str) -> str:
    """A hash of a key: the database gets no addresses, and keys may have any length."""
    return hashlib.sha256(f"{kind} {key}".encode()).hexdigest()[:40]
