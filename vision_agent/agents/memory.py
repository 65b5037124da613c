"""An ADK memory service on SQLite: the words of callers and agents, kept for later calls.

ADK's in-memory service forgets everything at a restart, and finds nothing in voice conversations,
whose words are transcripts and not content (`memory_recorder.py` makes them content).

Each caller is an ADK user of their own, and a search finds that user's lines only.

No call waits for the file: a thread writes behind the calls, and retries while the file is locked,
full or unavailable.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path

from google.adk.events.event import Event
from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions.session import Session
from google.genai import types

from vision_agent import call_scope
from vision_agent.agents.line_search import best_lines
from vision_agent.agents.memory_file import MemoryFile, RememberedLine
from vision_agent.data_folder import DatabaseError

logger = logging.getLogger(__name__)

MAX_LINE_CHARS = 2_000

MAX_WAITING = 5_000
"""Lines that may wait to be written; the oldest are dropped first."""

SEARCH_WITHIN_S = 3.0
"""How long a search waits for the file."""

BUSY_S = 5.0
FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 10.0
CLOSE_WITHIN_S = 1.0

MAX_SEARCHES = 16
"""Searches that may run or wait at the same time; further ones are refused."""

PERMANENT_ERRORS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)
"""Errors that a retry would raise again."""

_AWAY = "What was said in earlier calls can't be looked up at the moment."


class MemoryFileError(DatabaseError):
    """The file can't be used as the memory; the text says why and what to do."""


class MemoryAway(OSError):
    """The memory can't be searched at the moment; the text is for the model."""


class SqliteMemoryService(BaseMemoryService):
    """Remembers lines of conversation, and finds them by their words.

    Args:
        path: The SQLite file; None keeps everything in memory.
        keep_s: Lines older than this are deleted now; None keeps all.

    Raises:
        MemoryFileError: The file is not an SQLite file, or can't be written.
    """

    def __init__(self, path: Path | None = None, *, keep_s: float | None = None) -> None:
        self._path = path
        self._counts = {"written": 0, "dropped": 0, "errors": 0}
        self._waiting: deque[RememberedLine] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._failing = False
        self._thread: threading.Thread | None = None
        # Two, so that one search that hangs on a broken disk does not block the next one.
        self._searches = ThreadPoolExecutor(2, thread_name_prefix="memory search")
        self._searching = 0
        try:
            self._written = MemoryFile(path, busy_s=BUSY_S, on_lost=self._lost)
            self._read = MemoryFile(path, busy_s=SEARCH_WITHIN_S / 2) if path else self._written
            if keep_s is not None:
                self._written.forget_before(time.time() - keep_s)
        except (sqlite3.Error, OSError) as error:
            raise MemoryFileError(
                f"{path} can't be used as the memory: {error}. Name another with "
                "VISION_AGENT_MEMORY, or keep nothing with --session-db memory."
            ) from error

    def counts(self) -> dict[str, int]:
        """Lines that were written, wait, or were dropped; and errors of the file."""
        return {**self._counts, "waiting": len(self._waiting)}

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written, this long at most; returns whether it is. Blocks."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def close(self) -> None:
        """Write the waiting lines, for a second at most, and close the file. Blocks."""
        done = self.flush(CLOSE_WITHIN_S)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._searches.shutdown(wait=False, cancel_futures=True)
        if not done:
            # The thread may hang on the file; it is a daemon and ends with the process.
            logger.warning(
                "%d lines that were to be remembered are lost: %s did not take them.",
                len(self._waiting),
                self._path,
            )
            return
        if self._thread is not None:
            self._thread.join(CLOSE_WITHIN_S)
        self._written.close()
        if self._read is not self._written:
            self._read.close()

    # BaseMemoryService

    async def add_session_to_memory(self, session: Session) -> None:
        """Remember a whole session; lines that are in the memory already are not duplicated."""
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
        """Remember the words of events: their text, or the final transcript of their sound.

        They can be found at once, and are written as soon as the file takes them.
        """
        lines = [
            RememberedLine(
                app_name,
                user_id,
                session_id or "",
                event.id,
                event.timestamp,
                event.author,
                text,
            )
            for event in events
            if not event.partial and (text := words_of(event)[:MAX_LINE_CHARS])
        ]
        with self._changed:
            self._waiting += lines
            while len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                self._counts["dropped"] += 1
            if self._thread is None:
                # A daemon, so that a file that hangs does not keep the process from ending.
                self._thread = threading.Thread(target=self._write, name="memory", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    async def search_memory(
        self, *, app_name: str, user_id: str, query: str
    ) -> SearchMemoryResponse:
        """The lines that share the most words with the query, each with the line after it.

        A query of stop words only ("what did we talk about?") finds the newest lines.

        Raises:
            MemoryAway: The file does not answer in time.
        """
        if self._searching >= MAX_SEARCHES:
            raise MemoryAway(_AWAY)
        # The current call's own lines are not memories yet.
        besides = call_scope.current().call_id
        search = self._searches.submit(self._search, app_name, user_id, besides, query)
        with self._changed:
            self._searching += 1
        search.add_done_callback(self._searched)
        try:
            async with asyncio.timeout(SEARCH_WITHIN_S):
                found = await asyncio.wrap_future(search)
        except (sqlite3.Error, OSError) as error:
            self._counts["errors"] += 1
            logger.warning("What was said in earlier calls can't be looked up: %s", error)
            raise MemoryAway(_AWAY) from error
        return SearchMemoryResponse(memories=found)

    def _searched(self, _: object) -> None:
        with self._changed:
            self._searching -= 1

    # In threads.

    def _search(self, app: str, owner: str, besides: str, query: str) -> list[MemoryEntry]:
        # Waiting lines first: a line that is written meanwhile is then found twice, not missed.
        with self._changed:
            waiting = [
                line
                for line in self._waiting
                if (line.app, line.owner) == (app, owner) and line.conversation != besides
            ]
        lines = {line.event: line for line in self._read.newest(app, owner, besides=besides)}
        lines |= {line.event: line for line in waiting}
        all_lines = list(lines.values())
        return [_entry(all_lines[i]) for i in best_lines([line.text for line in all_lines], query)]

    def _write(self) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    return
                batch = self._batch()
            try:
                self._written.insert(batch)
            except (sqlite3.Error, OSError) as error:
                self._note(error)
                with self._changed:
                    if isinstance(error, PERMANENT_ERRORS):
                        self._taken(batch, "dropped")
                    self._changed.wait_for(lambda: self._closing, delay_s)
                delay_s = min(2 * delay_s, LONGEST_RETRY_S)
            else:
                delay_s = FIRST_RETRY_S
                with self._changed:
                    self._taken(batch, "written")
                if self._failing:
                    self._failing = False
                    logger.warning("The memory takes what is said in calls again.")

    def _batch(self) -> list[RememberedLine]:
        """The oldest waiting lines that have the same owner."""
        first = self._waiting[0]
        return list(
            takewhile(lambda line: (line.app, line.owner) == first[:2], islice(self._waiting, 100))
        )

    def _taken(self, batch: Sequence[RememberedLine], how: str) -> None:
        for line in batch:
            # Some may have been dropped meanwhile, to make room.
            if self._waiting and self._waiting[0] is line:
                self._waiting.popleft()
                self._counts[how] += 1
        self._changed.notify_all()

    def _note(self, error: BaseException) -> None:
        self._counts["errors"] += 1
        if not self._failing:
            self._failing = True
            logger.warning(
                "The memory does not take what is said in calls (%s); trying again.", error
            )

    def _lost(self) -> None:
        self._counts["errors"] += 1
        logger.warning(
            "%s was deleted or replaced while it was in use: what it held is not remembered any "
            "more, and what is said from now on goes into the new one.",
            self._path,
        )


def words_of(event: Event) -> str:
    """The words of an event: its text, or the final transcript of either side."""
    parts = (event.content.parts if event.content else None) or []
    if text := " ".join(part.text for part in parts if part.text and not part.thought):
        return " ".join(text.split())
    for transcript in (event.input_transcription, event.output_transcription):
        if transcript and transcript.finished and transcript.text:
            return " ".join(transcript.text.split())
    return ""


def _entry(line: RememberedLine) -> MemoryEntry:
    role = "user" if line.author == "user" else "model"
    return MemoryEntry(
        content=types.Content(role=role, parts=[types.Part(text=line.text)]),
        author=line.author,
        timestamp=datetime.fromtimestamp(line.at, UTC).isoformat(timespec="seconds"),
    )
