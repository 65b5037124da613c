"""One connection to the SQLite file that remembers lines of conversation.

If the file is deleted or replaced while it is open, SQLite keeps writing to the deleted file, which
is gone when the process ends. So each access checks that the file is still the same.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vision_agent.data_folder import private_file
from vision_agent.live.sessions.caller_identity import key_of

MAX_LINES = 2_000
"""Lines kept of one owner; the oldest are deleted."""

SEARCHED_LINES = 2_000

_VERSION = 1

_TABLE = """
    CREATE TABLE IF NOT EXISTS lines (
        id INTEGER PRIMARY KEY,
        app TEXT NOT NULL,
        owner TEXT NOT NULL,
        conversation TEXT NOT NULL,
        event TEXT NOT NULL,
        at REAL NOT NULL,
        author TEXT NOT NULL,
        text TEXT NOT NULL,
        UNIQUE (app, owner, event)
    );
    CREATE INDEX IF NOT EXISTS lines_of_owner ON lines (app, owner, id);
"""


class RememberedLine(NamedTuple):
    """A line that was said.

    Attributes:
        app: The ADK app of the call.
        owner: ADK's user.
        conversation: The call's id.
        event: The event's id: a line that is added twice is kept once.
        at: Seconds since 1970.
        author: `user`, or an agent's name.
        text: The words.
    """

    app: str
    owner: str
    conversation: str
    event: str
    at: float
    author: str
    text: str


class MemoryFile:
    """One connection. Its methods block, for `busy_s` at most while another process writes.

    Args:
        path: The file; None keeps everything in memory.
        busy_s: How long to wait for a lock.
        on_lost: Called after the file was deleted or replaced, and has been opened again.

    Raises:
        sqlite3.Error: The file is not an SQLite file, or can't be written.
        OSError: The file can't be created, or belongs to another user.
    """

    def __init__(
        self, path: Path | None, *, busy_s: float, on_lost: Callable[[], None] = lambda: None
    ) -> None:
        self._path = path
        self._busy_s = busy_s
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._db, self._id = self._open()

    def insert(self, lines: Sequence[RememberedLine]) -> None:
        """Add lines of one owner; lines that are there already are not duplicated."""
        with self._used() as db, db:
            db.executemany(
                "INSERT OR IGNORE INTO lines (app, owner, conversation, event, at, author, text) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                lines,
            )
            app, owner = lines[0].app, lines[0].owner
            db.execute(
                "DELETE FROM lines WHERE app = ?1 AND owner = ?2 AND id <= (SELECT id FROM lines "
                "WHERE app = ?1 AND owner = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
                (app, owner, MAX_LINES),
            )

    def newest(self, app: str, owner: str, *, besides: str) -> list[RememberedLine]:
        """An owner's newest lines, oldest first, except those of one conversation."""
        with self._used() as db:
            rows = db.execute(
                "SELECT app, owner, conversation, event, at, author, text FROM lines "
                "WHERE app = ? AND owner = ? AND conversation != ? ORDER BY id DESC LIMIT ?",
                (app, owner, besides, SEARCHED_LINES),
            ).fetchall()
        return [RememberedLine(*row) for row in reversed(rows)]

    def forget_before(self, at: float) -> None:
        """Delete lines from before a time, in seconds since 1970."""
        with self._used() as db, db:
            db.execute("DELETE FROM lines WHERE at < ?", (at,))

    def close(self) -> None:
        """Close the connection, after a running query."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._id != self._id_now():
                self._db.close()
                self._db, self._id = self._open()
                self._on_lost()
            yield self._db

    def _open(self) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
        if self._path is not None:
            private_file(self._path)
        db = sqlite3.connect(
            ":memory:" if self._path is None else self._path,
            check_same_thread=False,
            timeout=self._busy_s,
        )
        try:
            with db:
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(_TABLE)
                # Finds a read-only or locked file now, and not in the first call.
                db.execute("BEGIN IMMEDIATE")
                _hash_owners(db)
        except BaseException:
            db.close()
            raise
        return db, self._id_now()

    def _id_now(self) -> tuple[int, int] | None:
        """Identifies the file behind the path; None if there is none."""
        try:
            status = os.stat(self._path) if self._path is not None else None
        except FileNotFoundError:
            return None
        return (status.st_dev, status.st_ino) if status else None


def _hash_owners(db: sqlite3.Connection) -> None:
    """Replace callers' names by their keys, in files of earlier versions."""
    if db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
        db.create_function("key", 1, key_of, deterministic=True)
        db.execute("UPDATE lines SET owner = key(owner)")
        db.execute(f"PRAGMA user_version = {_VERSION}")
