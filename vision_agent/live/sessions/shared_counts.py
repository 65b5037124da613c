"""Counts in the sessions' database, which survive a restart and include all servers on it.

An offer waits two seconds at most for the database. A database that fails or takes longer is not
asked for a while; its clients then count in memory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from vision_agent.live.sessions.database_engine import (
    DATABASE_ERRORS,
    new_engine,
    url_with_driver,
)
from vision_agent.live.sessions.tables import DAILY_USE, TOKEN_USES

logger = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 2.0
BUSY_S = 1.0
AGAIN_AFTER_S = 10.0
"""How long a database that has failed is not asked."""

TIDY_EVERY_S = 3600.0

Use = tuple[float, float]
"""Seconds in calls, and estimated money."""

T = TypeVar("T")


class SharedCounts:
    """Counts the uses of tokens and the use of each day. `Database` makes the tables.

    Every method returns None if the database does not answer.

    Args:
        url: The database, as SQLAlchemy takes it.
        clock: Seconds since 1970.

    Attributes:
        errors: How often the database has failed or was too slow.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._engine = new_engine(
            url_with_driver(url), connections=1, busy_s=BUSY_S, keeps_open=False
        )
        self._clock = clock
        self._away_until_s = 0.0
        self._tidy_at_s = 0.0
        self._failing = False
        self.errors = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    async def use_token(
        self, token_id: str, count: int, *, most: int, expires_at_s: float
    ) -> bool | None:
        """Count uses of a token, all or none; returns whether they were counted.

        Args:
            token_id: The token.
            count: How many more uses.
            most: How many uses it may have in all.
            expires_at_s: When the count may be forgotten, in seconds since 1970.
        """
        used = (
            update(TOKEN_USES)
            .where(TOKEN_USES.c.token_id == token_id, TOKEN_USES.c.uses <= most - count)
            .values(uses=TOKEN_USES.c.uses + count)
        )
        first = insert(TOKEN_USES).values(token_id=token_id, uses=count, expires_at=expires_at_s)

        async def use(connection: AsyncConnection) -> bool:
            await self._tidy(connection)
            if (await connection.execute(used)).rowcount:
                return True
            known = select(TOKEN_USES.c.uses).where(TOKEN_USES.c.token_id == token_id)
            if count > most or (await connection.execute(known)).first() is not None:
                return False
            await connection.execute(first)
            return True

        return await self._asked(use)

    async def give_back(self, token_id: str) -> bool | None:
        """Uncount a use of a token; returns whether there was one."""
        fewer = (
            update(TOKEN_USES)
            .where(TOKEN_USES.c.token_id == token_id, TOKEN_USES.c.uses > 0)
            .values(uses=TOKEN_USES.c.uses - 1)
        )

        async def give(connection: AsyncConnection) -> bool:
            return (await connection.execute(fewer)).rowcount > 0

        return await self._asked(give)

    async def has_used(self, token_id: str) -> bool | None:
        """Whether a token has uses."""
        uses = select(TOKEN_USES.c.uses).where(TOKEN_USES.c.token_id == token_id)

        async def look(connection: AsyncConnection) -> bool:
            row = (await connection.execute(uses)).first()
            return row is not None and row[0] > 0

        return await self._asked(look)

    async def add_use(self, day: int, more: Mapping[str, Use]) -> dict[str, Use] | None:
        """Add to the use of a day; returns the totals.

        Args:
            day: Days of UTC since 1970.
            more: The use by each user or address, whose names have at most 64 characters.
        """

        async def add(connection: AsyncConnection) -> dict[str, Use]:
            await self._tidy(connection)
            # In one order everywhere: two servers never wait for each other.
            for who, (seconds, cost) in sorted(more.items()):
                added = (
                    update(DAILY_USE)
                    .where(DAILY_USE.c.day == day, DAILY_USE.c.who == who)
                    .values(seconds=DAILY_USE.c.seconds + seconds, cost=DAILY_USE.c.cost + cost)
                )
                if not (await connection.execute(added)).rowcount:
                    row = {"day": day, "who": who, "seconds": seconds, "cost": cost}
                    await connection.execute(insert(DAILY_USE).values(row))
            return await _used(connection, day, more)

        return await self._asked(add)

    async def used(self, day: int, who: Iterable[str]) -> dict[str, Use] | None:
        """The use of a day by some users or addresses; those without any are left out."""
        return await self._asked(lambda connection: _used(connection, day, who))

    async def _tidy(self, connection: AsyncConnection) -> None:
        """Delete expired rows, once in a while."""
        now_s = self._clock()
        if now_s < self._tidy_at_s:
            return
        await connection.execute(delete(TOKEN_USES).where(TOKEN_USES.c.expires_at < now_s))
        await connection.execute(delete(DAILY_USE).where(DAILY_USE.c.day < now_s // 86_400 - 1))
        self._tidy_at_s = now_s + TIDY_EVERY_S

    async def _asked(self, ask: Callable[[AsyncConnection], Awaitable[T]]) -> T | None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until_s:
            return None
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                try:
                    result = await self._in_transaction(ask)
                except IntegrityError:
                    # Another server has inserted the same row meanwhile: it can be updated now.
                    result = await self._in_transaction(ask)
        except DATABASE_ERRORS as error:
            self.errors += 1
            self._away_until_s = loop.time() + AGAIN_AFTER_S
            if not self._failing:
                self._failing = True
                logger.warning(
                    "The session database does not count (%s): until it does, the uses of tokens "
                    "and what was used today are counted in the memory of this process.",
                    getattr(error, "orig", None) or error or type(error).__name__,
                )
            return None
        if self._failing:
            self._failing = False
            logger.warning("The session database counts again.")
        return result

    async def _in_transaction(self, ask: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self._engine.begin() as connection:
            return await ask(connection)


async def _used(connection: AsyncConnection, day: int, who: Iterable[str]) -> dict[str, Use]:
    table = DAILY_USE.c
    rows = await connection.execute(
        select(table.who, table.seconds, table.cost).where(
            table.day == day, table.who.in_(list(who))
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}
