"""The key that identifies a session in ADK, besides the application."""

from __future__ import annotations

from typing import NamedTuple


class SessionKey(NamedTuple):
    """A session's user and id."""

    user_id: str
    session_id: str
