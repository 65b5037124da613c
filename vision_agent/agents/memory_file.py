"""The SQLite file in which lines of conversation are remembered: one connection to it.

The file may be deleted or replaced while it is open, and SQLite would go on with the deleted one,
of which nothing is left when the process ends. So each access looks whether it is still there.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vision_agent.agents.caller_key import key_of
from vision_agent.data_folder import private_file

MAX_LINES = 2_000
"""Of one owner; the oldest are forgotten."""

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
    """What was said once.

    Attributes:
        app: The ADK app in whose call it was.
        owner: ADK's user.
        conversation: The call.
        event: Its id: a line that comes twice is kept once.
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
        path: The file; None keeps everything in memory, until the program ends.
        busy_s: How long to wait for a lock.
        on_lost: Is told when the file was deleted or replaced, and a new connection made.

    Raises:
        sqlite3.Error: It is no SQLite file, or can't be written.
        OSError: It can't be made, or belongs to another user.
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
        """Keep lines of one owner; those that are there already stay there once."""
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
        """An owner's newest lines, oldest first, without those of one conversation."""
        with self._used() as db:
            rows = db.execute(
                "SELECT app, owner, conversation, event, at, author, text FROM lines "
                "WHERE app = ? AND owner = ? AND conversation != ? ORDER BY id DESC LIMIT ?",
                (app, owner, besides, SEARCHED_LINES),
            ).fetchall()
        return [RememberedLine(*row) for row in reversed(rows)]

    def forget_before(self, at: float) -> None:
        """Delete what is older."""
        with self._used() as db, db:
            db.execute("DELETE FROM lines WHERE at < ?", (at,))

    def close(self) -> None:
        """Close the connection; waits for what is under way."""
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
                # A read-only or locked one is found now, and not when something is said.
                db.execute("BEGIN IMMEDIATE")
                _hash_owners(db)
        except BaseException:
            db.close()
            raise
        return db, self._id_now()

    def _id_now(self) -> tuple[int, int] | None:
        """Which file is there: the same name may stand for another one later."""
        try:
            status = os.stat(self._path) if self._path is not None else None
        except FileNotFoundError:
            return None
        return (status.st_dev, status.st_ino) if status else None


def _hash_owners(db: sqlite3.Connection) -> None:
    """Files of earlier versions have callers' own names where now their keys stand."""
    if db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
        db.create_function("key", 1, key_of, deterministic=True)
        db.execute("UPDATE lines SET owner = key(owner)")
        db.execute(f"PRAGMA user_version = {_VERSION}")
