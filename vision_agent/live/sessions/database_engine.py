"""SQLAlchemy's engines for the sessions' database: SQLite, PostgreSQL, or another of its kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

BUSY_TIMEOUT_S = 5.0
"""How long SQLite waits for a lock that another process holds."""

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
"""Drivers for URLs that name none: SQLAlchemy's defaults are not for asyncio."""

DATABASE_ERRORS = (SQLAlchemyError, OSError, TimeoutError)
"""What an unavailable, locked or broken database raises."""


def url_with_driver(text: str) -> URL:
    """A URL with an asyncio driver; `ArgumentError` if the text is not a URL."""
    url = make_url(text)
    name = "postgresql" if url.drivername == "postgres" else url.drivername
    return url.set(drivername=DRIVERS.get(name, name))


def file_of(url: URL) -> Path | None:
    """The database's file; None if it has none."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name.startswith((":", "file:")):
        return None
    return Path(name)


def new_engine(
    url: URL, *, connections: int, busy_s: float = BUSY_TIMEOUT_S, keeps_open: bool = True
) -> AsyncEngine:
    """An engine, which connects when it is used.

    Args:
        url: As `url_with_driver` returns it.
        connections: How many connections stay open; the same number may be added for a while.
        busy_s: How long SQLite waits for a lock that another process holds.
        keeps_open: Whether an SQLite file stays open between uses. One that does not is found again
            after it was replaced.
    """
    options: dict[str, Any] = {"pool_size": connections, "max_overflow": connections}
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite:
        options["connect_args"] = {"timeout": busy_s}
        if not keeps_open and file_of(url) is not None:
            options = {"poolclass": NullPool, "connect_args": options["connect_args"]}
    else:
        options["pool_pre_ping"] = True
    if url.drivername == "postgresql+asyncpg":
        options["connect_args"] = {"timeout": 5, "command_timeout": 10}
    # Parameters contain what was said, and would be logged.
    engine = create_async_engine(url, hide_parameters=True, **options)
    if is_sqlite:
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    # Survives the end of the process; not synced to the disk at each commit.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA cache_size=-512")  # KiB; the default is 2 MiB a connection
    cursor.close()
