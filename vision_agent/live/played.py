"""Attaches to ADK's objects which words of an answer were played, and when the answer began.

The speaker goes on playing while an interruption travels from the model's message through ADK to
the session and the page. The first part that sees `interrupted` asks once for the words that have
been played, and attaches them here; all later parts read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.adk.events.event import Event
from google.adk.models.llm_response import LlmResponse

_KEY = "played"
_BEGAN = "began"

ResponseT = TypeVar("ResponseT", bound=LlmResponse)


def with_played(response: ResponseT, words: str) -> ResponseT:
    """A copy of an interrupted response or event that carries the words that were played of it."""
    metadata = {**(response.custom_metadata or {}), _KEY: words}
    return response.model_copy(update={"custom_metadata": metadata})


def played_on(response: LlmResponse) -> str | None:
    """The words that are attached to a response or event; None if there are none."""
    words = (response.custom_metadata or {}).get(_KEY)
    return words if isinstance(words, str) else None


def with_began(event: Event, at_s: float | None) -> Event:
    """A copy of the event whose line began earlier; None: the time is unknown."""
    if at_s is None or at_s >= event.timestamp:
        return event
    metadata = {**(event.custom_metadata or {}), _BEGAN: at_s}
    return event.model_copy(update={"custom_metadata": metadata})


def began_of(event: Event) -> float:
    """The time at which an event's words began, in seconds since 1970."""
    at_s = (event.custom_metadata or {}).get(_BEGAN)
    return at_s if isinstance(at_s, int | float) else event.timestamp


class PlayedOnce:
    """Asks how much of the present answer has been played, once for each message of the model's.

    ADK makes all responses of one message before it reads the next, so they carry the same words.

    Args:
        ask: Returns the words that have been played so far; None if unknown.
    """

    def __init__(self, ask: Callable[[], str] | None) -> None:
        self._ask = ask
        self._words: str | None = None

    def next_message(self) -> None:
        """Another message came: the words of the last one do not apply to it."""
        self._words = None

    def words(self) -> str | None:
        """The words that had been played when the message came; None if unknown."""
        if self._words is None and self._ask is not None:
            self._words = self._ask()
        return self._words
