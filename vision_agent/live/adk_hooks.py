"""The private parts of ADK that are touched, in one place.

ADK's connection hides what google-genai receives: a cancelled tool call, the end of generation and
how long a connection still lives are needed here and have no event of their own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.genai import types


class _Tapped:
    """google-genai's session, with every message shown to somebody before ADK reads it."""

    def __init__(self, session: Any, on_message: Callable[[types.LiveServerMessage], None]) -> None:
        self._session = session
        self._on_message = on_message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def receive(self) -> AsyncGenerator[types.LiveServerMessage, None]:
        async with aclosing(self._session.receive()) as messages:
            async for message in messages:
                self._on_message(message)
                yield message


def tap(
    connection: BaseLlmConnection, on_message: Callable[[types.LiveServerMessage], None]
) -> None:
    """Shows every message of a connection of ADK's to ``on_message`` first.

    Raises:
        RuntimeError: ADK's connection is not what this was written for.
    """
    session = getattr(connection, "_gemini_session", None)
    if session is None:
        raise RuntimeError("google-adk's Gemini connection holds no _gemini_session any more.")
    connection._gemini_session = _Tapped(session, on_message)  # type: ignore[attr-defined]
