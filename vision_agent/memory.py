"""What callers and agents have said, kept for later calls: an ADK memory service on SQLite.

ADK's own in-memory service forgets at every start, and finds nothing in voice conversations, whose
words are transcripts and not content (`remembering.py` makes them content).

Whose memories are told is decided by ADK's user, who is each caller's own.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from google.adk.events.event import Event
from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions.session import Session
from google.genai import types

from vision_agent.caller import key_of
from vision_agent.data_folder import private_file
from vision_agent.live.failure import DatabaseError

MAX_FOUND = 10
MAX_LINES = 2_000
"""Of one owner; the oldest are forgotten."""

MAX_LINE_CHARS = 2_000
SEARCHED_LINES = 2_000

_LITTLE = frozenset(
    """talk talked speak spoke discuss discussed earlier before previous last call conversation
    a about am an and any are at be been but by can could did do does for from had has have
    he her his how i if in is it its know me my no not of on or our please recall remember
    said say she so tell that the their them there they this time to told us was we were
    what when where which who why will with would you your yes""".split()  # noqa: SIM905
)
"""Words that say nothing about what is asked for."""

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


conversation: ContextVar[str] = ContextVar("memory_conversation", default="")
"""The present call's, which sets it: its own lines are no memories yet."""


class MemoryFileError(DatabaseError):
    """The file can't be used as a memory; the text says why."""


class LineMemory(BaseMemoryService):
    """Remembers lines of conversation, and finds them by their words.

    Args:
        path: The SQLite file; None keeps everything in memory, until the program ends.
        keep_s: Lines older than that are forgotten now; None keeps them.

    Raises:
        MemoryFileError: It is no SQLite file, or can't be written.
    """

    def __init__(self, path: Path | None = None, *, keep_s: float | None = None) -> None:
        self._lock = threading.Lock()
        try:
            if path is not None:
                private_file(path)
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, check_same_thread=False, timeout=5
            )
            with self._db:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.executescript(_TABLE)
                self._hash_owners()
                if keep_s is not None:
                    self._db.execute("DELETE FROM lines WHERE at < ?", (time.time() - keep_s,))
        except (sqlite3.Error, OSError) as error:
            raise MemoryFileError(f"{path} can't be used as the memory: {error}.") from error

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def _hash_owners(self) -> None:
        """Files of earlier versions have callers' own names where now their keys stand."""
        if self._db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            self._db.create_function("key", 1, key_of, deterministic=True)
            self._db.execute("UPDATE lines SET owner = key(owner)")
            self._db.execute(f"PRAGMA user_version = {_VERSION}")

    # BaseMemoryService

    async def add_session_to_memory(self, session: Session) -> None:
        """Keeps a whole session; what is in the memory already stays there once."""
        await self.add_events_to_memory(
            app_name=session.app_name,
            user_id=session.user_id,
            events=session.events,
            session_id=session.id,
        )

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Keeps the words of some events: their text, or the final transcript of their sound."""
        rows = [
            (app_name, user_id, session_id or "", event.id, event.timestamp, event.author, text)
            for event in events
            if not event.partial and (text := words_of(event)[:MAX_LINE_CHARS])
        ]
        if rows:
            await asyncio.to_thread(self._insert, rows, app_name, user_id)

    async def search_memory(
        self, *, app_name: str, user_id: str, query: str
    ) -> SearchMemoryResponse:
        """The lines that share the most words with the query, each with its neighbour.

        A query without words of its own ("what did we talk about?") finds the newest lines.
        """
        besides = conversation.get()
        found = await asyncio.to_thread(self._search, app_name, user_id, besides, query)
        return SearchMemoryResponse(memories=found)

    # SQLite, in threads.

    def _insert(self, rows: Sequence[tuple[object, ...]], app: str, user: str) -> None:
        with self._lock, self._db:
            self._db.executemany(
                "INSERT OR IGNORE INTO lines (app, owner, conversation, event, at, author, text) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._db.execute(
                "DELETE FROM lines WHERE app = ?1 AND owner = ?2 AND id <= (SELECT id FROM lines "
                "WHERE app = ?1 AND owner = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
                (app, user, MAX_LINES),
            )

    def _search(self, app: str, user: str, besides: str, query: str) -> list[MemoryEntry]:
        with self._lock:
            rows = self._db.execute(
                "SELECT at, author, text, conversation FROM lines "
                "WHERE app = ? AND owner = ? AND conversation != ? ORDER BY id DESC LIMIT ?",
                (app, user, besides, SEARCHED_LINES),
            ).fetchall()
        rows.reverse()
        return [_entry(*rows[index][:3]) for index in best_lines([row[2] for row in rows], query)]


def best_lines(lines: Sequence[str], query: str) -> list[int]:
    """Which lines answer a query best: their indices, in the lines' order.

    Args:
        lines: Oldest first.
        query: Anything.
    """
    asked = keywords(query)
    if not asked:
        return list(range(max(0, len(lines) - MAX_FOUND), len(lines)))
    scores = [len(asked & keywords(line)) for line in lines]
    # Of equals the newer: people change their minds.
    hits = sorted((i for i, score in enumerate(scores) if score), key=lambda i: (-scores[i], -i))
    chosen: list[int] = []
    for hit in hits:
        # What was said in reply often names what the line itself does not.
        for index in (hit, hit + 1):
            if index < len(lines) and index not in chosen and len(chosen) < MAX_FOUND:
                chosen.append(index)
    return sorted(chosen)


def keywords(text: str) -> set[str]:
    """The words of a text that say what it is about, without their endings."""
    words = re.findall(r"\w+", text.lower().replace("'s", ""))
    return {_stem(word) for word in words if word not in _LITTLE}


def words_of(event: Event) -> str:
    """What was said in an event: its text, or the final transcript of either side."""
    parts = (event.content.parts if event.content else None) or []
    if text := " ".join(part.text for part in parts if part.text and not part.thought):
        return " ".join(text.split())
    for transcript in (event.input_transcription, event.output_transcription):
        if transcript and transcript.finished and transcript.text:
            return " ".join(transcript.text.split())
    return ""


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _entry(at: float, author: str, text: str) -> MemoryEntry:
    return MemoryEntry(
        content=types.Content(
            role="user" if author == "user" else "model", parts=[types.Part(text=text)]
        ),
        author=author,
        timestamp=datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
    )
