"""The sessions of conversations: in memory during a call, in a database beyond it.

ADK's runner gets a session service that never waits. What is worth keeping is written to the
database behind it (`write_behind.py`). A caller who returns proves with a token that the
conversation is theirs. The session's id is the token's hash, so neither logs nor the database
reveal a token.
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

from vision_agent.live.sessions.caller_identity import MAX_USER_ID_CHARS, PASSING
from vision_agent.live.sessions.history import (
    ConversationLine,
    lines,
    put_in_order,
    restored,
    without_files,
    worth_keeping,
)
from vision_agent.live.sessions.session_key import SessionKey

if TYPE_CHECKING:
    from google.adk.sessions.base_session_service import BaseSessionService

    from vision_agent.live.sessions.database import Database
    from vision_agent.live.sessions.given_service import GivenService

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 44 + MAX_USER_ID_CHARS
MAX_EVENTS = 400
"""The newest events of an earlier conversation that the model gets when it is continued."""

MAX_USERS = 1_000
"""Callers whose `user:` state stays in memory where there is no database."""

MAX_ENDED = 500
"""Ended conversations kept in memory: without a database, or until they are written."""

LOAD_TIMEOUT_S = 3.0
"""How long a caller waits for the database before the call begins a new conversation."""

FLUSH_TIMEOUT_S = 1.0


@dataclass(slots=True)
class SessionLease:
    """A call's hold on its session; keeps the newest resumption handle (`HandleKeeper`).

    Attributes:
        session_id: ADK's session id.
        user_id: ADK's user id: the caller's, or for an unknown one an id that belongs to this
            conversation only.
        token: Lets its caller, and nobody else, continue the conversation.
        store: The store that has the session.
        earlier: What was said in the conversation before this call.
        resumed: Whether the call continues an earlier conversation.
        handle: The newest resumption handle; None if there is none, or it is outdated.
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
        """Whether the caller can be recognised in another conversation."""
        return not self.user_id.startswith(PASSING)

    def take(self) -> str | None:
        """The handle of the conversation's last call, the first time; None afterwards."""
        taken, self._taken = self._taken, True
        return None if taken else self.handle

    def keep(self, handle: str | None) -> None:
        """Keep the newest handle; None: the last one is outdated."""
        if handle != self.handle:
            self.handle = handle
            self.store.keep_handle(self)


@dataclass(slots=True)
class _Ended:
    at: float
    user_id: str
    handle: str | None


class SessionStore(InMemorySessionService):
    """ADK's sessions of the calls in progress, and of the conversations that can be continued.

    Args:
        app_name: ADK's name of the application.
        database: Keeps sessions beyond this process; None keeps them in memory only.
        resume_within_s: How long a conversation can be continued after its call.
        keep_s: How long the database keeps a session.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        app_name: str,
        *,
        database: Database | GivenService | None,
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
            self.write_behind = None
        else:
            from vision_agent.live.sessions.write_behind import WriteBehind

            self.write_behind = WriteBehind(
                database,
                clock=clock,
                on_over=self._written,
            )

    async def check(self) -> None:
        """Open the database and close it again; `DatabaseError` if it can't be used.

        May run in an event loop of its own: nothing stays open.
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
        if self._database is None or self.write_behind is None:
            return
        await self._database.open()
        self.write_behind.start(on_taken)
        forgotten = await self._database.forget_before(self._clock() - self._keep_s)
        logger.info("sessions in %s; %d old ones deleted", self._database.label, forgotten)

    async def close(self) -> None:
        """Write what waits, for a second at most, and close the database."""
        if self._database is None or self.write_behind is None:
            return
        await self.write_behind.close(FLUSH_TIMEOUT_S)
        await self._database.close()

    def counts(self) -> dict[str, int]:
        """Events that were written, wait, or were dropped; and errors of the database."""
        writer = self.write_behind
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
        """The session of a new call: the one that ``token`` stands for, or else a new one.

        `end` must have been called for the conversation's last call.

        Args:
            token: From an earlier `SessionLease`. The conversation still belongs to the user who
                began it.
            user: ADK's user of a new conversation; empty for an unknown caller.
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
        """The call is over; nothing uses its session any more."""
        session_id = lease.session_id
        if self._live.get(session_id) is not lease:
            return
        del self._live[session_id]
        session = self._session(session_id, lease.user_id)
        if session is None or not session.events:
            self._drop(session_id, lease.user_id)
            return
        self._ended[session_id] = _Ended(self._clock(), lease.user_id, lease.handle)
        if self.write_behind is not None:
            self.write_behind.over(SessionKey(lease.user_id, session_id), lease.handle)

    def keep_handle(self, lease: SessionLease) -> None:
        """The handle of a call's session has changed."""
        if self.write_behind is not None and self._live.get(lease.session_id) is lease:
            self.write_behind.handle(SessionKey(lease.user_id, lease.session_id), lease.handle)

    # ADK's service.

    async def append_event(self, session: Session, event: Event) -> Event:
        """Append the event if it is worth keeping, without pictures and other files."""
        if not worth_keeping(event):
            return event
        appended = await super().append_event(session, without_files(event))
        put_in_order(session.events)
        kept = self._session(session.id, session.user_id)
        if kept is not None and kept is not session:
            put_in_order(kept.events)
        if self.write_behind is not None and session.id in self._live:
            self.write_behind.happened(SessionKey(session.user_id, session.id), appended)
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
        if self._database is None or self.write_behind is None:
            return None
        from vision_agent.live.sessions.database_engine import DATABASE_ERRORS

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
        """Load what agents have kept about a user (`user:`) in earlier processes."""
        if self._database is None or user_id in self._user_states:
            return
        from vision_agent.live.sessions.database_engine import DATABASE_ERRORS

        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                state = await self._database.user_state(user_id)
        except DATABASE_ERRORS as error:
            self.load_errors += 1
            logger.warning("A caller's state could not be read: %s", error)
        else:
            self._keep_user_state(user_id, state)

    def _keep_user_state(self, user_id: str, state: dict[str, Any]) -> None:
        """If two calls of a user begin at once, the state that was loaded first stays."""
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
            # The state of callers in calls stays; of the others the oldest is dropped first.
            oldest = next(user for user in self._user_states if user not in users)
            del self._user_states[oldest]

    def _written(self, session_id: str) -> None:
        """The database has an ended conversation completely: drop it, unless it is in use again."""
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

    The token contains the user's id. The session's id is the hash of the whole token, so a token
    with another user's id in it stands for no session.
    """
    _, known, user = token.partition(".")
    return user if known else PASSING + session_id_of(token)[:32]


def session_id_of(token: str) -> str:
    """The id of the session that a token stands for."""
    return hashlib.sha256(token.encode()).hexdigest()[:40]


def make_store(
    app_name: str,
    *,
    url: str | None,
    resume_within_s: float,
    keep_s: float,
    service: BaseSessionService | None = None,
) -> SessionStore:
    """A session store.

    Args:
        app_name: ADK's name of the application.
        url: The database, as SQLAlchemy takes it; None keeps sessions in memory only.
        resume_within_s: How long a conversation can be continued after its call.
        keep_s: How long the database keeps a session.
        service: Keeps sessions in place of the database.

    Raises:
        DatabaseError: The URL is invalid, or its driver is not installed.
    """
    database: Database | GivenService | None = None
    if service is not None:
        from vision_agent.live.sessions.given_service import GivenService

        database = GivenService(service, app_name=app_name)
    elif url is not None:
        # Imported here, as SQLAlchemy takes a while to load.
        from vision_agent.live.sessions.database import Database

        database = Database(url, app_name=app_name)
    return SessionStore(app_name, database=database, resume_within_s=resume_within_s, keep_s=keep_s)
