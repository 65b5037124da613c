"""The conversations that can be continued: in memory while a call goes on, in a database beyond it.

ADK's runner is given a session service that answers at once. What is worth keeping is written
behind it (`writer.py`). Who comes back proves with a token that the conversation is theirs: the
session's id is the token's hash, so that neither logs nor the database give one away.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.adk.events.event import Event
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.sessions.session import Session

from vision_agent.live.sessions.history import ConversationLine, lines, restored, worth_keeping
from vision_agent.live.sessions.session_key import SessionKey

if TYPE_CHECKING:
    from vision_agent.live.sessions.database import Database

logger = logging.getLogger(__name__)

PASSING = "passing-"
"""How the user ids of unknown callers begin: each is one conversation's, and nobody else's."""

TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 100
MAX_EVENTS = 400
"""Of an earlier conversation that are given to the model when it is continued."""

MAX_USERS = 1_000
"""Callers whose `user:` state is kept in memory where no database keeps it."""

MAX_ENDED = 500
"""Conversations that are over and kept in memory: without a database, or until it has them."""

LOAD_TIMEOUT_S = 3.0
"""A caller waits no longer for the database: the call then begins anew."""

FLUSH_TIMEOUT_S = 1.0


@dataclass(slots=True)
class SessionLease:
    """One call's conversation; keeps the newest resumption handle (`resumption.HandleKeeper`).

    Attributes:
        session_id: ADK's.
        user_id: ADK's as well: the caller's key, or for somebody unknown one of the conversation's
            own.
        token: Continues the conversation; for its caller alone.
        earlier: What was said in it before this call.
        resumed: Whether there was such a conversation.
    """

    session_id: str
    user_id: str
    token: str
    store: SessionStore
    earlier: Sequence[ConversationLine] = ()
    resumed: bool = False
    handle: str | None = None
    _taken: bool = False

    @property
    def known(self) -> bool:
        """Whether the caller may be known again in another conversation."""
        return not self.user_id.startswith(PASSING)

    def take(self) -> str | None:
        """The handle of the conversation's last call, the first time; then None."""
        taken, self._taken = self._taken, True
        return None if taken else self.handle

    def keep(self, handle: str | None) -> None:
        """The newest handle; None: what there was is outdated."""
        if handle != self.handle:
            self.handle = handle
            self.store.keep_handle(self)


@dataclass(slots=True)
class _Ended:
    at: float
    user_id: str
    handle: str | None


class SessionStore(InMemorySessionService):
    """ADK's sessions of the calls in progress, and of those that can be continued.

    Args:
        app_name: ADK's name of the application.
        database: Where they are kept beyond this process; None: nowhere.
        resume_within_s: How long a conversation can be continued after its call.
        keep_s: How long the database keeps one.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        app_name: str,
        *,
        database: Database | None,
        resume_within_s: float,
        keep_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._app_name = app_name
        self._database = database
        self._resume_within_s = resume_within_s
        self._keep_s = keep_s
        self._clock = clock
        self._live: dict[str, SessionLease] = {}
        self._ended: OrderedDict[str, _Ended] = OrderedDict()
        self.load_errors = 0
        if database is None:
            self.writer = None
        else:
            from vision_agent.live.sessions.write_behind import WriteBehind

            self.writer = WriteBehind(
                database,
                clock=clock,
                on_over=self._written,
            )

    async def check(self) -> None:
        """Opens the database and closes it again; `DatabaseError` if it can't be used.

        In an event loop of its own, if need be: nothing of it stays.
        """
        if self._database is not None:
            await self._database.open()
            await self._database.close()

    async def start(self, on_taken: Callable[[str], None] = lambda _session_id: None) -> None:
        """Open the database.

        Args:
            on_taken: Called with the id of a call's session that another process has continued.

        Raises:
            DatabaseError: It can't be used.
        """
        if self._database is None or self.writer is None:
            return
        await self._database.open()
        self.writer.start(on_taken)
        forgotten = await self._database.forget_before(self._clock() - self._keep_s)
        logger.info("sessions in %s; %d old ones forgotten", self._database.label, forgotten)

    async def close(self) -> None:
        """Writes what waits, for a second at most, and closes the database."""
        if self._database is None or self.writer is None:
            return
        await self.writer.close(FLUSH_TIMEOUT_S)
        await self._database.close()

    def counts(self) -> dict[str, int]:
        """What became of the events: written, waiting, dropped; and errors of the database."""
        writer = self.writer
        if writer is None:
            return {"written": 0, "waiting": 0, "dropped": 0, "errors": 0}
        counters = writer.counters
        return {
            "written": counters.written,
            "waiting": writer.waiting,
            "dropped": counters.dropped,
            "errors": counters.errors + self.load_errors,
        }

    # Conversations.

    async def begin(self, token: str | None, user: str = "") -> SessionLease:
        """A call's conversation: the one that ``token`` stands for, or else a new one.

        The conversation's last call has to have been ended by `end`.

        Args:
            token: From an earlier `SessionLease`. The conversation stays the user's who began it.
            user: The caller's key, for a new conversation; empty for somebody unknown.
        """
        self._forget_old()
        if token and len(token) <= MAX_TOKEN_CHARS and self._resume_within_s > 0:
            lease = self._from_memory(token) or await self._from_database(token)
            if lease is not None:
                self._live[lease.session_id] = lease
                return lease
        token = secrets.token_urlsafe(TOKEN_BYTES) + (f".{user}" if user else "")
        session_id, user_id = session_id_of(token), user_id_of(token)
        if user:
            await self._load_user_state(user)
        await self.create_session(app_name=self._app_name, user_id=user_id, session_id=session_id)
        lease = self._live[session_id] = SessionLease(session_id, user_id, token, self)
        return lease

    def end(self, lease: SessionLease) -> None:
        """The call is over; nothing runs on its session any more."""
        session_id = lease.session_id
        if self._live.get(session_id) is not lease:
            return
        del self._live[session_id]
        session = self._session(session_id, lease.user_id)
        if session is None or not session.events:
            self._drop(session_id, lease.user_id)
            return
        self._ended[session_id] = _Ended(self._clock(), lease.user_id, lease.handle)
        if self.writer is not None:
            self.writer.over(SessionKey(lease.user_id, session_id), lease.handle)

    def keep_handle(self, lease: SessionLease) -> None:
        """A conversation's handle has changed."""
        if self.writer is not None and self._live.get(lease.session_id) is lease:
            self.writer.handle(SessionKey(lease.user_id, lease.session_id), lease.handle)

    # ADK's service.

    async def append_event(self, session: Session, event: Event) -> Event:
        """Appends what is worth keeping."""
        if not worth_keeping(event):
            return event
        appended = await super().append_event(session, event)
        if self.writer is not None and session.id in self._live:
            self.writer.happened(SessionKey(session.user_id, session.id), appended)
        return appended

    # What is kept.

    def _from_memory(self, token: str) -> SessionLease | None:
        session_id, user_id = session_id_of(token), user_id_of(token)
        ended = self._ended.pop(session_id, None)
        session = self._session(session_id, user_id)
        if ended is None or session is None:
            return None
        session.events[:] = restored(session.events)
        return SessionLease(
            session_id, user_id, token, self, lines(session.events), True, ended.handle
        )

    async def _from_database(self, token: str) -> SessionLease | None:
        if self._database is None or self.writer is None:
            return None
        from vision_agent.live.sessions.database import DATABASE_ERRORS

        session_id, user_id = session_id_of(token), user_id_of(token)
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                key = SessionKey(user_id, session_id)
                stored = await self._database.load(key, newest=MAX_EVENTS)
                state = await self._database.user_state(user_id)
        except DATABASE_ERRORS as error:
            self.load_errors += 1
            logger.warning("A conversation could not be read: %s", error)
            return None
        if stored is None or stored.touched_at < self._clock() - self._resume_within_s:
            return None
        session = stored.session
        session.events[:] = restored(session.events)
        users = self.sessions.setdefault(self._app_name, {})
        users.setdefault(user_id, {})[session_id] = session
        self._keep_user_state(user_id, state)
        return SessionLease(
            session_id, user_id, token, self, lines(session.events), True, stored.handle
        )

    async def _load_user_state(self, user_id: str) -> None:
        """What agents have kept of a user (`user:`) in earlier processes."""
        if self._database is None or user_id in self._user_states:
            return
        from vision_agent.live.sessions.database import DATABASE_ERRORS

        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                state = await self._database.user_state(user_id)
        except DATABASE_ERRORS as error:
            self.load_errors += 1
            logger.warning("A caller's state could not be read: %s", error)
        else:
            self._keep_user_state(user_id, state)

    def _keep_user_state(self, user_id: str, state: dict[str, Any]) -> None:
        """Of two calls of a user's that begin at once, the first one's state stays."""
        self._user_states.setdefault(user_id, state)

    @property
    def _user_states(self) -> dict[str, dict[str, Any]]:
        return self.user_state.setdefault(self._app_name, {})

    def _session(self, session_id: str, user_id: str) -> Session | None:
        return self.sessions.get(self._app_name, {}).get(user_id, {}).get(session_id)

    def _drop(self, session_id: str, user_id: str) -> None:
        self._ended.pop(session_id, None)
        users = self.sessions.get(self._app_name, {})
        users.get(user_id, {}).pop(session_id, None)
        if users.get(user_id):
            return
        users.pop(user_id, None)
        if self._database is not None or user_id.startswith(PASSING):
            self._user_states.pop(user_id, None)
        while len(self._user_states) > MAX_USERS + len(users):
            # Those of callers in calls stay; others are forgotten, the first one first.
            oldest = next(user for user in self._user_states if user not in users)
            del self._user_states[oldest]

    def _written(self, session_id: str) -> None:
        """The database has all of an ended conversation, unless it goes on again."""
        if (ended := self._ended.get(session_id)) is not None:
            self._drop(session_id, ended.user_id)

    def _forget_old(self) -> None:
        limit = self._clock() - self._resume_within_s
        while self._ended:
            session_id, ended = next(iter(self._ended.items()))
            if ended.at >= limit and len(self._ended) <= MAX_ENDED:
                return
            self._drop(session_id, ended.user_id)


def user_id_of(token: str) -> str:
    """The ADK user whose conversation a token stands for.

    The token says it itself. As the session's id is the hash of all of it, a token with another
    user's key in it stands for no session.
    """
    _, known, user = token.partition(".")
    return user if known else PASSING + session_id_of(token)[:32]


def session_id_of(token: str) -> str:
    """The id of the session that a token stands for."""
    return hashlib.sha256(token.encode()).hexdigest()[:40]


def make_store(
    app_name: str, *, url: str | None, resume_within_s: float, keep_s: float
) -> SessionStore:
    """A store at this database; None: in memory alone.

    Raises:
        DatabaseError: The URL is none, or its driver is not installed.
    """
    database = None
    if url is not None:
        # Not before it is wanted: SQLAlchemy takes a while to load.
        from vision_agent.live.sessions.database import Database

        database = Database(url, app_name=app_name)
    return SessionStore(app_name, database=database, resume_within_s=resume_within_s, keep_s=keep_s)
