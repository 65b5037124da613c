"""Session resumption: handles, the sessions they restore, and when they expire."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vision_agent.local.api.habits import STILL_OPEN, Habits
from vision_agent.local.api.json_fields import Refused
from vision_agent.local.api.session_history import SavedSession

VALID_S = 2 * 3600.0
"""How long the service keeps a handle."""

MAX_HANDLES = 1000
"""Handles kept; beyond it the least recently saved is forgotten. Text only, so a few megabytes."""

MAX_SESSIONS_WITH_FRAMES = 16
"""Sessions whose frames are kept too: 30 of 40 KB each make 20 MB at most."""


@dataclass(slots=True)
class _Saved:
    session: str
    saved: SavedSession
    saved_s: float


class ResumptionHandles:
    """The handles of one server, in memory. The time (seconds, monotonic) is an argument."""

    def __init__(self) -> None:
        self._saved: OrderedDict[str, _Saved] = OrderedDict()
        self._newest: OrderedDict[str, str] = OrderedDict()
        self._open: set[str] = set()

    def __len__(self) -> int:
        return len(self._saved)

    def save(self, session: str, saved: SavedSession, now_s: float) -> str:
        """A new handle for the state of ``session``; its earlier handles stay valid.

        Only a session's newest handle keeps the frames.
        """
        self._forget_expired(now_s)
        earlier = self._newest.pop(session, None)
        self._drop_frames(earlier)
        handle = str(uuid.uuid4())
        self._saved[handle] = _Saved(session, saved, now_s)
        self._newest[session] = handle
        while len(self._newest) > MAX_SESSIONS_WITH_FRAMES:
            self._drop_frames(self._newest.popitem(last=False)[1])
        while len(self._saved) > MAX_HANDLES:
            self._saved.popitem(last=False)
        return handle

    @contextmanager
    def open(self, session: str) -> Iterator[None]:
        """The connection of the session is open within the context."""
        self._open.add(session)
        try:
            yield
        finally:
            self._open.discard(session)

    def find(self, handle: str, now_s: float) -> SavedSession | None:
        """The session that the handle restores; None when the handle is unknown or expired."""
        self._forget_expired(now_s)
        saved = self._saved.get(handle)
        return saved.saved if saved else None

    def resumed(self, handle: str | None, habits: Habits, now_s: float) -> SavedSession:
        """The session to go on with; an empty one without a handle.

        Raises:
            Refused: The handle is unknown or expired (the habits have code and words), or the
                session is still open and the model does not resume such ones.
        """
        if handle is None:
            return SavedSession()
        saved = self.find(handle, now_s)
        if saved is None:
            raise Refused(*habits.lost_handle)
        if not habits.resumes_while_open and self._saved[handle].session in self._open:
            raise Refused(*STILL_OPEN)
        return saved

    def clear(self) -> None:
        """Forgets every handle."""
        self._saved.clear()
        self._newest.clear()

    def _drop_frames(self, handle: str | None) -> None:
        if handle is not None and (saved := self._saved.get(handle)):
            saved.saved = saved.saved.without_frames()

    def _forget_expired(self, now_s: float) -> None:
        while self._saved:
            handle, saved = next(iter(self._saved.items()))
            if now_s - saved.saved_s < VALID_S:
                return
            del self._saved[handle]
            if self._newest.get(saved.session) == handle:
                del self._newest[saved.session]
