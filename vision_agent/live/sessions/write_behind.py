"""Write-behind for the sessions' database.

A call never waits for the database. What happens in it is queued here, and one task writes it in
order, as fast as the database takes it. While the database is unavailable, writing is retried.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from google.adk.errors import StaleSessionError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event

from vision_agent.live.sessions.database import PERMANENT_ERRORS, Database
from vision_agent.live.sessions.database_engine import DATABASE_ERRORS
from vision_agent.live.sessions.given_service import GivenService
from vision_agent.live.sessions.session_key import SessionKey

logger = logging.getLogger(__name__)

MAX_WAITING = 5_000
"""Records that may wait: some hours of one conversation. The oldest are dropped first."""

FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 10.0
TOUCH_EVERY_S = 30.0
"""How often the sessions of silent calls are marked as in use."""


@dataclass(frozen=True, slots=True)
class _Happened:
    key: SessionKey
    event: Event


@dataclass(frozen=True, slots=True)
class _Handle:
    key: SessionKey
    handle: str | None
    at: float


@dataclass(frozen=True, slots=True)
class _Over:
    key: SessionKey
    handle: str | None
    at: float


_Record = _Happened | _Handle | _Over


@dataclass(slots=True)
class WriteBehindCounters:
    """Records that were written or dropped, and errors of the database."""

    written: int = 0
    dropped: int = 0
    errors: int = 0


class WriteBehind:
    """Writes one agent's sessions.

    Args:
        database: The database; its owner opens and closes it.
        clock: Seconds since 1970.
        on_over: Called with the id of a session whose last record has been written.
    """

    def __init__(
        self,
        database: Database | GivenService,
        *,
        clock: Callable[[], float],
        on_over: Callable[[str], None],
    ) -> None:
        self.counters = WriteBehindCounters()
        self._database = database
        self._clock = clock
        self._on_taken: Callable[[str], None] = lambda _session_id: None
        self._on_over = on_over
        self._waiting: deque[_Record] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._open: set[str] = set()
        self._taken: set[str] = set()
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The number of records that have not been written yet."""
        return len(self._waiting)

    def start(self, on_taken: Callable[[str], None]) -> None:
        """Begin to write.

        Args:
            on_taken: Called with the id of a session that another process has continued.
        """
        self._on_taken = on_taken
        self._task = asyncio.create_task(self._run(), name="session write-behind")

    # What happens in calls; none of these waits.

    def happened(self, key: SessionKey, event: Event) -> None:
        """An event was appended to a session."""
        self._put(_Happened(key, event))

    def handle(self, key: SessionKey, handle: str | None) -> None:
        """A session has a new resumption handle; None: the last one is outdated."""
        self._put(_Handle(key, handle, self._clock()))

    def over(self, key: SessionKey, handle: str | None) -> None:
        """A session's call is over."""
        self._put(_Over(key, handle, self._clock()))

    # Writing.

    def _put(self, record: _Record) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.counters.dropped += 1
        self._waiting.append(record)
        self._idle.clear()
        self._arrived.set()

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written, this long at most; returns whether it is."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self, timeout_s: float) -> None:
        """Write what waits, for this long at most, and end."""
        if not await self.flush(timeout_s):
            logger.warning(
                "%d records of conversations are lost: the session database did not take them.",
                len(self._waiting),
            )
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        now_s = asyncio.get_running_loop().time
        touch_at_s = now_s() + TOUCH_EVERY_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(touch_at_s):
                    await self._arrived.wait()
            self._arrived.clear()
            while self._waiting and now_s() < touch_at_s:
                record = self._waiting[0]
                await self._write_until_written(record)
                if self._waiting and self._waiting[0] is record:
                    self._waiting.popleft()
            if now_s() >= touch_at_s:
                # Silent calls are in use too, however much the others have to write.
                await self._touch()
                touch_at_s = now_s() + TOUCH_EVERY_S
            if self._waiting:
                self._arrived.set()
            else:
                self._idle.set()

    async def _write_until_written(self, record: _Record) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            try:
                await self._write(record)
            except StaleSessionError:
                self._lost_to_another(record.key.session_id)
                return
            except PERMANENT_ERRORS as error:
                self._database.let_go(record.key.session_id)
                self._give_up(error)
                return
            except DATABASE_ERRORS as error:
                # The record may have been written all the same: read the session's revision again.
                self._database.let_go(record.key.session_id)
                self._note(error)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_RETRY_S)
                if not self._waiting or self._waiting[0] is not record:
                    return  # dropped meanwhile, to make room
            except Exception as error:
                # Caused by the agent, such as a state that is not JSON.
                self._give_up(error)
                return
            else:
                self._recovered()
                return

    async def _write(self, record: _Record) -> None:
        if await self._database.reopen_if_lost():
            self.counters.errors += 1
            logger.warning(
                "The session database %s was deleted or replaced while it was in use: what it held "
                "is lost, and what is said from now on goes into the new one.",
                self._database.label,
            )
        session_id = record.key.session_id
        match record:
            case _Happened(_, event):
                if session_id in self._taken:
                    return
                self._open.add(session_id)
                try:
                    await self._database.append(record.key, event)
                except SessionNotFoundError:
                    # Deleted by somebody else: appending creates the session again.
                    self._database.let_go(session_id)
                    await self._database.append(record.key, event)
                self.counters.written += 1
            case _Handle(_, handle, at):
                if session_id not in self._taken:
                    await self._database.mark(record.key, handle, at)
            case _Over(_, handle, at):
                if session_id not in self._taken:
                    await self._database.mark(record.key, handle, at)
                self._taken.discard(session_id)
                self._open.discard(session_id)
                self._database.let_go(session_id)
                self._on_over(session_id)

    async def _touch(self) -> None:
        if not self._open:
            return
        try:
            await self._database.touch(self._open, self._clock())
        except DATABASE_ERRORS as error:
            self._note(error)

    def _lost_to_another(self, session_id: str) -> None:
        self._taken.add(session_id)
        self._database.let_go(session_id)
        self._on_taken(session_id)

    def _give_up(self, error: BaseException) -> None:
        """Count and log a record that no retry would write."""
        self.counters.errors += 1
        self.counters.dropped += 1
        logger.warning("An event of a conversation can't be stored: %s", _cause(error))

    def _note(self, error: BaseException) -> None:
        self.counters.errors += 1
        if not self._failing:
            self._failing = True
            logger.warning(
                "The session database does not take what is said in calls (%s); trying again.",
                _cause(error),
            )

    def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            logger.warning("The session database takes what is said in calls again.")


def _cause(error: BaseException) -> BaseException:
    """The driver's own error; SQLAlchemy's contains the statement, and with it what was said."""
    return getattr(error, "orig", None) or error
