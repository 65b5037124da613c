"""Conversations in a session service of the application's own, in place of our database."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from google.adk.errors import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.events.event import Event
from google.adk.sessions.base_session_service import BaseSessionService, GetSessionConfig
from google.adk.sessions.session import Session

from vision_agent.live.sessions.database import Stored
from vision_agent.live.sessions.session_key import SessionKey

MAX_HANDLES = 1_000
"""The newest resumption handles, which are kept here: a service has no place for them."""

_USER = "user:"

_Result = TypeVar("_Result")


class SessionServiceFailed(OSError):
    """The service failed in a way that a retry may overcome."""


class GivenService:
    """Reads and writes sessions as `Database` does, each from one task at a time.

    A conversation that continues in another process begins from its history, without the model's
    resumption handle.

    Args:
        service: The service, which its owner opens and closes.
        app_name: ADK's name of the application.
    """

    def __init__(self, service: BaseSessionService, *, app_name: str) -> None:
        self._service = service
        self._app_name = app_name
        self._own: dict[str, Session] = {}
        self._handles: OrderedDict[str, tuple[str | None, float]] = OrderedDict()

    @property
    def label(self) -> str:
        """The service's class, for people to read."""
        return type(self._service).__name__

    async def open(self) -> None:
        """Do nothing: the owner has opened the service."""

    async def close(self) -> None:
        """Flush the service; its owner closes it."""
        await _asked(self._service.flush())

    async def reopen_if_lost(self) -> bool:
        """Do nothing: there is no file that could be lost."""
        return False

    async def load(self, key: SessionKey, *, newest: int) -> Stored | None:
        """A session with its newest events; None if there is no such session."""
        session = await self._get(key, newest)
        if session is None:
            return None
        handle, at = self._handles.get(key.session_id, (None, 0.0))
        session.events[:] = session.events[-newest:]
        return Stored(session, handle, max(at, session.last_update_time))

    async def user_state(self, user_id: str) -> dict[str, Any]:
        """The state that agents keep about a user across sessions (`user:`)."""
        try:
            return await _asked(
                self._service.get_user_state(app_name=self._app_name, user_id=user_id)
            )
        except NotImplementedError:
            pass
        listed = await _asked(self._service.list_sessions(app_name=self._app_name, user_id=user_id))
        if not listed.sessions:
            return {}
        session = await self._get(SessionKey(user_id, listed.sessions[-1].id), 0)
        state = session.state if session else {}
        return {name[len(_USER) :]: state[name] for name in state if name.startswith(_USER)}

    async def append(self, key: SessionKey, new: Event) -> None:
        """Append an event; the first event creates the session.

        Raises:
            StaleSessionError: Another process has appended to the session meanwhile.
            SessionServiceFailed: The service failed.
        """
        session = self._own.get(key.session_id) or await self._get(key, 0)
        if session is None:
            try:
                session = await _asked(
                    self._service.create_session(app_name=self._app_name, **key._asdict())
                )
            except AlreadyExistsError:
                session = await self._get(key, 0)
            assert session is not None
        self._own[key.session_id] = session
        await _asked(self._service.append_event(session, new))
        # Nobody reads them here.
        session.events.clear()

    async def mark(self, key: SessionKey, handle: str | None, at: float) -> None:
        """Keep the newest handle of a session, in this process."""
        self._handles[key.session_id] = (handle, at)
        self._handles.move_to_end(key.session_id)
        while len(self._handles) > MAX_HANDLES:
            self._handles.popitem(last=False)

    async def touch(self, session_ids: Iterable[str], at: float) -> None:
        """Mark sessions as in use."""
        for session_id in session_ids:
            if session_id in self._handles:
                self._handles[session_id] = (self._handles[session_id][0], at)

    def let_go(self, session_id: str) -> None:
        """Drop the cached session: it is read from the service the next time."""
        self._own.pop(session_id, None)

    async def forget_before(self, at: float) -> int:
        """Do nothing: the owner decides how long the service keeps sessions."""
        return 0

    async def _get(self, key: SessionKey, newest: int) -> Session | None:
        return await _asked(
            self._service.get_session(
                app_name=self._app_name,
                **key._asdict(),
                config=GetSessionConfig(num_recent_events=newest),
            )
        )


async def _asked(answer: Awaitable[_Result]) -> _Result:
    """The service's answer; a network failure becomes an `OSError`, which is retried."""
    try:
        return await answer
    except (StaleSessionError, ValueError, TypeError, LookupError, NotImplementedError, OSError):
        raise
    except Exception as error:
        raise SessionServiceFailed(f"{type(error).__name__}: {error}") from error
