"""Writes to the sessions' database behind the calls' backs.

A call never waits for the database: what happens in it is put here, and one task writes it, in
order, as fast as the database takes it. A database that is away is asked again until it is back.
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

from vision_agent.live.sessions.database import DATABASE_ERRORS, PERMANENT_ERRORS, Database
from vision_agent.live.sessions.session_key import SessionKey

logger = logging.getLogger(__name__)

MAX_WAITING = 5_000
"""Records that may wait for the database: some hours of one conversation. The oldest go first."""

FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 10.0
TOUCH_EVERY_S = 30.0
"""How often the sessions of calls in which nothing is said are marked as in use."""


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
    """What became of the records."""

    written: int = 0
    dropped: int = 0
    errors: int = 0


class WriteBehind:
    """The only one in this process that writes to the database.

    Args:
        database: Is opened and closed by others.
        clock: Seconds since 1970.
        on_over: Is told of a session whose last record has been written.
    """

    def __init__(
        self,
        database: Database,
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
        """Records that are not written yet."""
        return len(self._waiting)

    def start(self, on_taken: Callable[[str], None]) -> None:
        """Begin to write.

        Args:
            on_taken: Called with the id of a session that another process has continued.
        """
        self._on_taken = on_taken
        self._task = asyncio.create_task(self._run(), name="session writer")

    # What happens in calls; each returns at once.

    def happened(self, key: SessionKey, event: Event) -> None:
        """An event of a session."""
        self._put(_Happened(key, event))

    def handle(self, key: SessionKey, handle: str | None) -> None:
        """A session's newest resumption handle; None: none is up to date."""
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
        """Waits until all is written, no longer than this; whether it is."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self, timeout_s: float) -> None:
        """Writes what waits, no longer than this, and ends."""
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
                # However busy the others are: a call in which nothing is said is in use as well.
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
                self._lose_to_another(record.key.session_id)
                return
            except PERMANENT_ERRORS as error:
                self._database.let_go(record.key.session_id)
                self._give_up(error)
                return
            except DATABASE_ERRORS as error:
                # It may have been written all the same: the session's revision is read anew.
                self._database.let_go(record.key.session_id)
                self._note(error)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_RETRY_S)
                if not self._waiting or self._waiting[0] is not record:
                    return  # dropped meanwhile, for newer ones
            except Exception as error:
                # Of an agent's own making, such as a state that is no JSON.
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
                    # Deleted under our hands: what follows makes it anew.
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

    def _lose_to_another(self, session_id: str) -> None:
        self._taken.add(session_id)
        self._database.let_go(session_id)
        self._on_taken(session_id)

    def _give_up(self, error: BaseException) -> None:
        """Trying again would change nothing."""
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
    """The driver's own words; SQLAlchemy adds the statement, and with it what was said."""
    return getattr(error, "orig", None) or error
