"""What the model service means by the reason it gives for an end. Pure.

The words decide, not the code: the service reports the same fault with 1007, 1008 or 1011, and cuts
the reason at the 123 bytes that a WebSocket close frame has room for. The patterns therefore match
what stands near the beginning. Source: reasons that users of the service have published.
"""

from __future__ import annotations

import re
from typing import Literal

Fault = Literal["key", "token", "billing", "quota", "model", "service"]
"""A fault of the setup or the account; `service` for everything else."""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL)


_TOKEN = _words(
    r"\b(?:auth|ephemeral)[ _]?tokens?\b",
    r"\btoken (?:has|is|was) .{0,20}\b(?:used|expired|invalid|revoked|valid)\b",
    r"\btoken (?:has )?expired",
    r"used too many times",
)
_QUOTA = _words(r"quota", r"resource_exhausted")
_BUSY = _words(r"resource (?:has been )?exhausted", r"rate limit", r"too many requests")
_BILLING = _words(r"billing", r"prepay", r"\bcredits\b", r"spend(?:ing)? (?:cap|limit)")
_KEY = _words(
    r"api[ _-]?key",
    r"credential",
    r"permission",
    r"unregistered",
    r"unauthenticated",
    r"unauthorized",
    r"oauth",
    r"denied access",
    r"access denied",
    r"suspended",
    r"has not been used in project",
    r"service_disabled",
    r"are blocked",
    r"user location",
)
_NO_MODEL = _words(
    r"^models/\S+(?: is not found|$)",
    r"\bmodels/\S+ (?:is|was) not (?:found|supported for)",
    r"publisher model",
    r"not supported for bidi",
    r"not supported in the live api",
)
_UNSUPPORTED = _words(r"not found", r"not supported")
_HANDLE = _words(
    r"session not found",
    r"session handle",
    r"resumption handle",
    r"session (?:has )?expired",
    r"requested entity was not found",
)
_FORCED_END = _words(r"goaway", r"connection aborted", r"deadline expired")


def fault_of(code: int | None, reason: str) -> Fault:
    """The fault according to the service's reason, and otherwise to its code.

    Args:
        code: A close code or an HTTP status; None if there is none.
        reason: The reason, possibly cut at 123 bytes.
    """
    if _TOKEN.search(reason):
        return "token"
    if _QUOTA.search(reason) or _BUSY.search(reason) or code == 429:
        return "quota"
    if _BILLING.search(reason):
        return "billing"
    if _KEY.search(reason) or code in (401, 403):
        return "key"
    if _NO_MODEL.search(reason) or code == 404:
        return "model"
    session = _HANDLE.search(reason) and "session" in reason.lower()
    return "model" if _UNSUPPORTED.search(reason) and not session else "service"


def is_hopeless(reason: str) -> bool:
    """Whether the reason says that no retry helps: not without another key, plan or model.

    A service that is merely busy ("Resource exhausted. Please try again later.") is asked again.
    """
    return any(words.search(reason) for words in (_TOKEN, _QUOTA, _BILLING, _KEY, _NO_MODEL))


def refuses_handle(reason: str) -> bool:
    """Whether the reason is what an unknown or expired resumption handle is refused with."""
    return bool(_HANDLE.search(reason))


def is_forced_end(reason: str) -> bool:
    """Whether the connection has reached its announced end; its session exists on."""
    return bool(_FORCED_END.search(reason))
