"""Failures of the model's side, in words that a person can act on."""

from __future__ import annotations

import re
import ssl
from traceback import format_tb, walk_tb
from types import UnionType

from google.genai import errors
from websockets.exceptions import ConnectionClosed, InvalidStatus

from vision_agent.live.local_process import LocalLiveApiAway
from vision_agent.live.own_fault import OwnFault
from vision_agent.live.service_words import fault_of

_CHECK = "Check the network."


class LiveFailure(Exception):
    """A live session has ended; the text tells the caller why.

    Attributes:
        kind: What failed, as a label for the metrics; see `kind_of`.
    """

    def __init__(self, text: str, *, kind: str = "service") -> None:
        super().__init__(text)
        self.kind = kind


class ConnectionLeft(Exception):
    """A model connection is left from this side, or ended without a reason.

    Attributes:
        planned: The service had announced its end (`goAway`); nobody needs to know.
        kind: What failed, as a label for the metrics; see `kind_of`.
    """

    def __init__(self, why: str, *, planned: bool, kind: str = "service") -> None:
        super().__init__(why)
        self.planned = planned
        self.kind = kind


MAX_CAUSES = 4

MAX_REASON_BYTES = 120
"""A reason of this length is taken for a cut one: a close frame has room for 123 bytes."""

_SAFE_TO_LOG = (
    LiveFailure,
    ConnectionLeft,
    LocalLiveApiAway,
    ConnectionClosed,
    errors.APIError,
    InvalidStatus,
    OSError,
)
"""Exceptions whose texts come from the service, the system or this package."""


def explain(error: BaseException, *, model: str) -> str:
    """One or two sentences for an exception of `Runner.run_live`.

    Args:
        error: The exception.
        model: The model's name, for the text.
    """
    if isinstance(error, LiveFailure | ConnectionLeft | LocalLiveApiAway):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"The model service did not answer in time. Model: {model}. Try again in a moment."
    if isinstance(error, ssl.SSLError):
        return f"The connection to the model service is not trusted: {error.reason or error}."
    if isinstance(error, OSError) and not isinstance(error, InvalidStatus):
        # Only the system's words: an agent's code raises such errors too.
        return f"The model service can't be reached: {error.strerror or 'no answer'}. {_CHECK}"
    if isinstance(error, OwnFault):
        return "Something went wrong on the server. The server's log says what."
    if not isinstance(error, ConnectionClosed | errors.APIError | InvalidStatus):
        if _raised_by_adk(error):
            return f"The model {model!r} cannot be used for a call: {_clause(str(error))}."
        # The text of an agent's exception may contain anything: the log alone gets the traceback.
        return f"The agent failed ({type(error).__name__}). The server's log says why."
    code, reason = code_and_reason(error)
    fault, reason = fault_of(code, reason), _whole_sentences(reason)
    match fault:
        case "key":
            return (
                f"The model service refused the key: {reason or 'no reason given'}. "
                "Check GOOGLE_API_KEY and what its project may use, or use --model local."
            )
        case "token":
            return (
                f"The model service refused the access token: {reason}. Create a new one that "
                "lives long enough and may be used often enough, or use an API key."
            )
        case "billing":
            return (
                f"The model service asks for payment: {reason}. "
                "Check the billing of the key's project, or use --model local."
            )
        case "model":
            return f"The model {model!r} cannot be used for a call: {reason or 'not found'}."
        case "quota":
            said = reason or "too many requests"
            return f"The model service's quota is used up: {said}. Wait, or raise the quota."
    return f"The model service ended the conversation ({code}): {reason or 'no reason given'}."


FAILURE_KINDS = (
    *("key", "token", "billing", "quota", "model", "service"),
    *("silent", "timeout", "network", "local", "agent", "server"),
)
"""All that `kind_of` says."""


def kind_of(error: BaseException) -> str:
    """What failed, as a label for the metrics.

    `key`, `token`, `billing`, `quota`, `model` or `service` for the model service; `silent` for a
    model that does not answer; `timeout` or `network` for the way to it; `local` for the local Live
    API; `agent` for the agent's code, `server` for this package's.
    """
    match error:
        case LiveFailure() | ConnectionLeft():
            return error.kind
        case LocalLiveApiAway():
            return "local"
        case TimeoutError():
            return "timeout"
        case ConnectionClosed() | errors.APIError() | InvalidStatus():
            return fault_of(*code_and_reason(error))
        case OSError():
            return "network"
        case OwnFault():
            return "server"
    return "model" if _raised_by_adk(error) else "agent"


def cause_of(error: BaseException) -> str:
    """The chain of causes with their places, for the log, without words of the conversation.

    The texts of exceptions of an agent's code and of this package's may contain what a caller said,
    and are left out; those of the service, of ADK (such as a variable of an instruction that the
    session lacks) and of the system do not.
    """
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(lines) < MAX_CAUSES:
        safe = isinstance(cause, _SAFE_TO_LOG) or _raised_by_adk(cause, ValueError | KeyError)
        name = type(cause).__name__
        frames = "" if safe else "".join(format_tb(cause.__traceback__))
        lines.append(f"{name}: {cause}" if safe else f"{name}, raised in\n{frames.rstrip()}")
        cause = cause.__cause__
    return "\ncaused by ".join(lines)


def _raised_by_adk(error: BaseException, kinds: type[Exception] | UnionType = ValueError) -> bool:
    """Whether ADK has refused something, such as a tool that a model does not support."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    return isinstance(error, kinds) and bool(modules) and modules[-1].startswith("google.adk.")


def in_short(error: BaseException) -> str:
    """A few words for a connection that was lost and is being reopened."""
    return "The model service is slow." if isinstance(error, TimeoutError) else "The line broke."


def code_and_reason(error: BaseException) -> tuple[int | None, str]:
    """The close code or HTTP status behind an exception, and its reason."""
    if isinstance(error, ConnectionClosed):
        frame = error.rcvd
        return (frame.code, _clause(frame.reason)) if frame else (1006, "the connection was lost")
    if isinstance(error, InvalidStatus):
        return error.response.status_code, error.response.reason_phrase
    if isinstance(error, errors.APIError):
        # google-genai writes "CODE STATUS. REASON" and appends its own dictionary.
        words = error.message or re.sub(r"^\d+ \w+\. ?", "", str(error))
        return error.code, _clause(re.sub(r"\s*\{.*\}\s*$", "", words))
    return None, _clause(str(error))


def _clause(text: str | None) -> str:
    """A reason as part of a sentence; empty if the service gives none."""
    text = (text or "").strip().rstrip(".")
    return "" if text == "None" else text


def _whole_sentences(reason: str) -> str:
    """A reason that the service has cut off, up to its last whole sentence if it has one."""
    if len(reason.encode()) < MAX_REASON_BYTES:
        return reason
    whole, _, cut = reason.rpartition(". ")
    return whole or f"{cut}…"
