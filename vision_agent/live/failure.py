"""What went wrong with the model, in words a person can act on."""

from __future__ import annotations

import re
import ssl

from google.genai import errors
from websockets.exceptions import ConnectionClosed, InvalidStatus


class LiveFailure(Exception):
    """A live session ended for a reason that the caller should read."""


class DatabaseError(RuntimeError):
    """The sessions' database can't be used; the text says which and why."""


class LocalServerAway(ConnectionError):
    """The local Live API has ended and is not back yet; the text says so."""


def explain(error: BaseException, *, model: str) -> str:
    """One or two sentences for whatever `Runner.run_live` raised.

    Args:
        error: The exception.
        model: The model's name, for the text.
    """
    if isinstance(error, LiveFailure | LocalServerAway):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"The model service did not answer in time. Model: {model}. Try again in a moment."
    if isinstance(error, ssl.SSLError):
        return f"The connection to the model service is not trusted: {error.reason or error}."
    code, reason = code_and_reason(error)
    text = reason.lower()
    if "api key" in text or code in (401, 403):
        return (
            "The model service refused the key: "
            f"{reason or 'no reason given'}. Check GOOGLE_API_KEY, or use --model local."
        )
    if "not found" in text or "not supported" in text or code == 404:
        return f"The model {model!r} cannot be used for a call: {reason}"
    if "quota" in text or "resource_exhausted" in text or code == 429:
        return f"The model service's quota is used up: {reason}. Wait, or raise the quota."
    if isinstance(error, ConnectionClosed | errors.APIError | InvalidStatus):
        return f"The model service ended the conversation ({code}): {reason or 'no reason given'}."
    if isinstance(error, OSError):
        return f"The model service can't be reached: {error}. Check the network."
    return f"The agent failed: {type(error).__name__}: {error}"


def in_short(error: BaseException) -> str:
    """A few words for a connection that was lost and will be made again."""
    return "The model service is slow." if isinstance(error, TimeoutError) else "The line broke."


def code_and_reason(error: BaseException) -> tuple[int | None, str]:
    """The close code or HTTP status behind an exception, and the words that came with it."""
    if isinstance(error, ConnectionClosed):
        frame = error.rcvd
        return (frame.code, frame.reason) if frame else (1006, "the connection was lost")
    if isinstance(error, InvalidStatus):
        return error.response.status_code, error.response.reason_phrase
    if isinstance(error, errors.APIError):
        # google-genai repeats the reason and appends its own dictionary; the sentence is enough.
        message = error.message or str(error)
        return error.code, re.sub(r"\s*\{.*\}\s*$", "", message).strip()
    return None, str(error)
