"""The failures of a user's own server, in words. Pure.

The sentence is spoken and shown to the caller; the cause goes to the log.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any, Literal

import httpx2
import openai

Kind = Literal[
    "away",
    "model",
    "key",
    "busy",
    "pictures",
    "too_long",
    "refused",
    "failed",
    "no_api",
    "broken",
    "slow",
    "empty",
    "calls",
]

Part = Literal["language model", "hearing", "voice"]

PARTS: dict[str, Part] = {"brain": "language model", "ears": "hearing", "voice": "voice"}
"""The parts by the names of their options."""

INTERFACES: dict[Part, str] = {
    "language model": "chat",
    "hearing": "transcription",
    "voice": "speech",
}
"""The part of OpenAI's interface that each part of an agent uses."""

_PICTURE_WORDS = ("image", "vision", "multimodal", "multi-modal", "mmproj", "picture")
_REFUSALS = (400, 415, 422, 501)
"""Answers to a request that asks for something impossible."""

_LENGTH_WORDS = (
    "context length",
    "context size",
    "context window",
    "exceed_context",
    "too many tokens",
)


class BrainFailure(Exception):
    """The server gave no answer.

    Attributes:
        kind: The kind of failure.
        sentence: The failure in words, for the caller.
        retry_after_s: When the server wants to be asked again, if it says so.
    """

    def __init__(
        self, kind: Kind, sentence: str, cause: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(cause or sentence)
        self.kind = kind
        self.sentence = sentence
        self.retry_after_s = retry_after_s


def slow(host: str, timeout_s: float, *, begun: bool) -> BrainFailure:
    """The failure that no word came in time."""
    what = "did not come to an end" if begun else "has not answered"
    return BrainFailure(
        "slow",
        f"My language model at {host} {what}; I waited {timeout_s:g} seconds.",
        f"no token for {timeout_s:g} s",
    )


def failure_of(
    error: Exception,
    host: str,
    model: str,
    *,
    opened: bool = False,
    pictures: bool = False,
    part: Part = "language model",
) -> BrainFailure:
    """The failure behind an error of the client.

    Args:
        error: The error.
        host: The server's host.
        model: The model that was asked for.
        opened: Whether the server had begun to answer.
        pictures: Whether pictures were sent.
        part: The part of the agent that the server takes over.
    """
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, host, model, part, pictures=pictures)
    cause = " < ".join(f"{type(one).__name__}: {one}" for one in _causes(error))
    if opened or not isinstance(error, openai.APIConnectionError):
        return BrainFailure("broken", f"The answer of my {part} at {host} broke off.", cause)
    return BrainFailure("away", f"I can't reach my {part} at {host}: {why(error)}.", cause)


def _of_status(
    error: openai.APIStatusError, host: str, model: str, part: Part, *, pictures: bool
) -> BrainFailure:
    status, said = error.status_code, _said(error)
    cause = f"{status}: {said[:200]}"
    lower = said.lower()
    if 300 <= status < 400:
        place = error.response.headers.get("location", "")[:200]
        return BrainFailure(
            "refused",
            f"The server at {host} sends me elsewhere, and I don't follow. Name the right address.",
            f"{status} to {place}",
        )
    if status in (401, 403):
        return BrainFailure("key", f"The server at {host} does not accept my key.", cause)
    if any(words in lower for words in _LENGTH_WORDS):
        return BrainFailure(
            "too_long", "Our conversation is too long for my language model.", cause
        )
    if pictures and (status in _REFUSALS or any(word in lower for word in _PICTURE_WORDS)):
        return BrainFailure("pictures", f"My language model at {host} takes no pictures.", cause)
    if status == 404:
        interface = f"has no {INTERFACES[part]} interface there"
        missing = f"has no model {model}" if "model" in lower else interface
        return BrainFailure("model", f"The server at {host} {missing}.", cause)
    if "quota" in lower:
        return BrainFailure("key", f"The quota of my key at {host} is used up.", cause)
    if status in (429, 503):
        return BrainFailure(
            "busy",
            f"My {part} at {host} is busy. Please try again in a moment.",
            cause,
            _retry_after_s(error.response.headers),
        )
    if status >= 500:
        return BrainFailure("failed", f"The server of my {part} at {host} failed.", cause)
    return BrainFailure("refused", f"The server at {host} refused my request.", cause)


def _said(error: openai.APIStatusError) -> str:
    body: Any = error.body
    message = body.get("message") if isinstance(body, dict) else body
    return str(message or error.message)


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def why(error: BaseException) -> str:
    """Why a server can't be reached."""
    for cause in _causes(error):
        text = str(cause).lower()
        if isinstance(cause, ssl.SSLError) or "certificate" in text or "ssl" in text:
            return "the connection is not safe, its certificate is not accepted"
        if isinstance(cause, socket.gaierror) or "name or service" in text or "getaddrinfo" in text:
            return "nobody knows that name"
        if isinstance(cause, ConnectionRefusedError) or "refused" in text:
            return "nothing listens there"
        if isinstance(cause, httpx2.TimeoutException):
            return "it does not take the connection"
    return "the connection fails"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(8):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
