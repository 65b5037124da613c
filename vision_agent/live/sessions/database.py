"""The sessions' database: ADK's tables, through ADK's own service, and one table beside them.

That table holds what does not belong to a history: the newest resumption handle, and when the
session was last in use. SQLite needs no installation; any URL with an asyncio driver for SQLAlchemy
works.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.events.event import Event
from google.adk.sessions.base_session_service import GetSessionConfig
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.session import Session
from sqlalchemy import delete, insert, select
from sqlalchemy import update as update_rows
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)

from vision_agent.data_folder import DatabaseError, private_file
from vision_agent.live.sessions.database_engine import (
    BUSY_TIMEOUT_S,
    DATABASE_ERRORS,
    file_of,
    new_engine,
    url_with_driver,
)
from vision_agent.live.sessions.session_key import SessionKey
from vision_agent.live.sessions.tables import METADATA, RESUMPTION
from vision_agent.version import missing_extra

OPEN_ATTEMPTS = 8
OPEN_AGAIN_S = 0.1
"""Another server may be creating the same tables; the n-th wait is n times as long."""

PERMANENT_ERRORS = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
"""Errors that a retry would raise again; connection errors are not among them."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A session as it was read.

    Attributes:
        session: The session with its state and its newest events.
        handle: The newest resumption handle; None if there is none, or it is outdated.
        touched_at: When the session was last in use, in seconds since 1970.
    """

    session: Session
    handle: str | None
    touched_at: float


class Database:
    """Reads and writes sessions, each from one task at a time.

    Args:
        url: As SQLAlchemy takes it, e.g. ``sqlite:////var/lib/va/sessions.db`` or ``postgresql://…``.
        app_name: ADK's name of the application.

    Raises:
        DatabaseError: The URL is invalid, or its driver is not installed.
    """

    def __init__(self, url: str, *, app_name: str) -> None:
        try:
            self._url = url_with_driver(url)
            self._make_engine()
        except (ArgumentError, NoSuchModuleError, ImportError, SQLAlchemyError) as error:
            raise DatabaseError(_unusable_url(url, error)) from error
        self._app_name = app_name
        self._file = file_of(self._url)
        self._own: dict[str, Session] = {}
        self._file_id: tuple[int, int] | None = None
        self._looking: ThreadPoolExecutor | None = None

    def _make_engine(self) -> None:
        # One connection writes, the other reads the conversation of a caller who returns.
        connections = 1 if self._url.get_backend_name() == "sqlite" else 2
        self._engine = new_engine(self._url, connections=connections)
        self._service = DatabaseSessionService(db_engine=self._engine)

    @property
    def label(self) -> str:
        """The database for people to read, without its password."""
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            return self._url.database
        return self._url.render_as_string(hide_password=True)

    async def open(self) -> None:
        """Create the missing tables; `DatabaseError` if the database can't be used."""
        begun = time.monotonic()
        try:
            for attempt in range(1, OPEN_ATTEMPTS + 1):
                try:
                    await self._open()
                    break
                except (DBAPIError, ValueError) as error:
                    waited = time.monotonic() - begun >= BUSY_TIMEOUT_S
                    if attempt == OPEN_ATTEMPTS or not _is_being_created(error, waited):
                        raise
                    await asyncio.sleep(attempt * OPEN_AGAIN_S)
        except (*DATABASE_ERRORS, ValueError) as error:
            await self.close()
            raise DatabaseError(_unusable(self.label, error)) from error

    async def _open(self) -> None:
        if self._file is not None:
            private_file(self._file)
        await self._service.prepare_tables()
        async with self._engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            # Finds a read-only or locked database now, and not in the first call.
            await connection.execute(delete(RESUMPTION).where(RESUMPTION.c.session_id == ""))
        self._file_id = self._file_id_now()

    async def reopen_if_lost(self) -> bool:
        """Reopen a file that was deleted or replaced while it was open; returns whether it was.

        SQLite would keep writing to the deleted file, which is gone when the process ends.
        """
        if self._file is None:
            return False
        # In a thread of its own, as a file system may hang and block others.
        self._looking = self._looking or ThreadPoolExecutor(1, thread_name_prefix="session file")
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._looking, self._file_id_now) == self._file_id:
            return False
        await self._engine.dispose()
        self._own.clear()
        self._make_engine()
        await self._open()
        return True

    def _file_id_now(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._file) if self._file is not None else None
        except FileNotFoundError:
            return None
        return (status.st_dev, status.st_ino) if status else None

    async def close(self) -> None:
        """Close the connections."""
        if self._looking is not None:
            self._looking.shutdown(wait=False)
            self._looking = None
        await self._engine.dispose()

    async def load(self, key: SessionKey, *, newest: int) -> Stored | None:
        """A session with its newest events; None if there is no such session."""
        session = await self._get(key, newest)
        if session is None:
            return None
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(
                    select(RESUMPTION.c.handle, RESUMPTION.c.touched_at).where(
                        RESUMPTION.c.session_id == key.session_id
                    )
                )
            ).first()
        handle, touched_at = (row[0], row[1]) if row else (None, 0.0)
        return Stored(session, handle, max(touched_at, session.last_update_time))

    async def user_state(self, user_id: str) -> dict[str, Any]:
        """What agents have kept about a user across sessions (`user:`)."""
        return await self._service.get_user_state(app_name=self._app_name, user_id=user_id)

    async def append(self, key: SessionKey, new: Event) -> None:
        """Append an event; the first event creates the session.

        Raises:
            StaleSessionError: Another process has appended to the session meanwhile.
        """
        session = self._own.get(key.session_id) or await self._get(key, 0)
        if session is None:
            try:
                session = await self._service.create_session(
                    app_name=self._app_name, **key._asdict()
                )
            except AlreadyExistsError:
                session = await self._get(key, 0)
            assert session is not None
        self._own[key.session_id] = session
        await self._service.append_event(session, new)
        # Nobody reads them here; ADK keeps the revision elsewhere.
        session.events.clear()

    async def mark(self, key: SessionKey, handle: str | None, at: float) -> None:
        """Keep the newest handle of a session that has events."""
        if key.session_id not in self._own and await self._get(key, 0) is None:
            return
        values: dict[str, Any] = {"handle": handle, "touched_at": at}
        async with self._engine.begin() as connection:
            which = RESUMPTION.c.session_id == key.session_id
            done = await connection.execute(update_rows(RESUMPTION).where(which).values(**values))
            if not done.rowcount:
                await connection.execute(
                    insert(RESUMPTION).values(session_id=key.session_id, **values)
                )

    async def touch(self, session_ids: Iterable[str], at: float) -> None:
        """Mark sessions as in use."""
        which = RESUMPTION.c.session_id.in_(list(session_ids))
        async with self._engine.begin() as connection:
            await connection.execute(update_rows(RESUMPTION).where(which).values(touched_at=at))

    def let_go(self, session_id: str) -> None:
        """Drop the cached session: it is read from the database the next time."""
        self._own.pop(session_id, None)

    async def forget_before(self, at: float) -> int:
        """Delete the sessions without events since then; returns how many."""
        found = await self._service.list_sessions(app_name=self._app_name)
        old = [session for session in found.sessions if session.last_update_time < at]
        for session in old:
            await self._service.delete_session(
                app_name=self._app_name, user_id=session.user_id, session_id=session.id
            )
        if old:
            async with self._engine.begin() as connection:
                await connection.execute(delete(RESUMPTION).where(RESUMPTION.c.touched_at < at))
        return len(old)

    async def _get(self, key: SessionKey, newest: int) -> Session | None:
        return await self._service.get_session(
            app_name=self._app_name,
            **key._asdict(),
            config=GetSessionConfig(num_recent_events=newest),
        )


def _is_being_created(error: BaseException, waited: bool) -> bool:
    """Whether another server, started at once on the same new database, creates its tables."""
    # SQLite refuses at once, without waiting, where two connections would wait for each other.
    if not waited and "database is locked" in str(error):
        return True
    # PostgreSQL reports the name that is taken as a duplicate key of its own tables.
    words = (
        "already exists",
        "pg_type_typname_nsp_index",
        "Schema version not found",
        "UNIQUE constraint failed: adk_internal_metadata",
        "adk_internal_metadata_pkey",
    )
    return any(each in str(error) for each in words)


def _unusable(label: str, error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    while isinstance(cause.__cause__, sqlite3.Error | OSError):
        cause = cause.__cause__
    return (
        f"The session database {label} can't be used: {cause or type(cause).__name__}. "
        "Name another with --session-db, or keep nothing with --session-db memory."
    )


def _unusable_url(url: str, error: BaseException) -> str:
    if isinstance(error, ImportError):
        what = f"its driver is not installed ({error.name})"
        if how := missing_extra(error):
            what += f": {how}"
        return f"The session database can't be used: {what}."
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        shown = "(not shown: it may hold a password)"
    return (
        f"--session-db {shown} is no URL of a database that can be used: {error}. For example "
        "sqlite:////var/lib/vision_agent/sessions.db, postgresql://user:password@host/name, "
        "or memory."
    )
