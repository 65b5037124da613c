"""The words of an interrupted answer that the caller has heard, carried on ADK's own objects.

The speaker goes on playing while an interruption travels from the model's message through ADK to
the session and the page. Whoever sees `interrupted` first asks once for the words that have been
played, and attaches them here; everybody behind reads them.
"""

from __future__ import annotations

from typing import TypeVar

from google.adk.models.llm_response import LlmResponse

_KEY = "played"

ResponseT = TypeVar("ResponseT", bound=LlmResponse)


def with_played(response: ResponseT, words: str) -> ResponseT:
    """A copy of an interrupted response or event that carries the words that were played of it."""
    metadata = {**(response.custom_metadata or {}), _KEY: words}
    return response.model_copy(update={"custom_metadata": metadata})


def played_on(response: LlmResponse) -> str | None:
    """The words that a response or event carries; None if nobody has attached any."""
    words = (response.custom_metadata or {}).get(_KEY)
    return words if isinstance(words, str) else None
