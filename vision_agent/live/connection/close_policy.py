"""What to do about a model connection that ended, by how it ended. Pure.

The first line that fits counts.

========================================  ====================================================
how it ended                              what to do
========================================  ====================================================
words of a key, a permission or a quota   give up: trying again can't help (a quota is 1011)
1000, 1001, 1006, 1011, 1012, 1013, 1014  again, on the handle: the session is still there
1007 or 1008 while resuming               again without the handle: it is void (or expired)
1007 or 1008 before any setup was taken   give up: the setup itself (model, voice) is wrong
1007 or 1008 later on                     again without the handle: this session is spoilt
HTTP 400, 401, 403, 404                   give up
a certificate that is not trusted         give up
HTTP 429, 5xx; refused; no answer         again, later
anything else                             again without the handle
========================================  ====================================================
"""

from __future__ import annotations

import re
import ssl
from enum import Enum, auto

from google.genai import errors
from websockets.exceptions import ConnectionClosed, InvalidStatus

from vision_agent.live.errors import code_and_reason

_TRANSIENT = frozenset({1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014})
_PERMANENT_STATUS = frozenset({400, 401, 403, 404})
_HOPELESS = re.compile(
    r"api key|credential|permission|unregistered|quota|resource_exhausted|billing", re.IGNORECASE
)


class Verdict(Enum):
    """What to do next."""

    RESUME = auto()
    """Connect again, with the newest handle."""

    RESTART = auto()
    """Connect again without a handle, and tell the model what was said so far."""

    GIVE_UP = auto()
    """End the call, and say why."""


def judge(error: BaseException, *, resuming: bool, settled: bool) -> Verdict:
    """What to do about a connection that ended with ``error``.

    Args:
        error: What google-genai or websockets raised.
        resuming: The connection was being resumed with a handle and had said nothing yet.
        settled: A setup has been accepted before, in this conversation.
    """
    if isinstance(error, TimeoutError):
        return Verdict.RESUME
    if isinstance(error, InvalidStatus):
        permanent = error.response.status_code in _PERMANENT_STATUS
        return Verdict.GIVE_UP if permanent else Verdict.RESUME
    if isinstance(error, ConnectionClosed | errors.APIError):
        code, reason = code_and_reason(error)
        if _HOPELESS.search(reason):
            return Verdict.GIVE_UP
        if code in _TRANSIENT:
            return Verdict.RESUME
        # An expired handle says so in the same codes as everything else that is wrong.
        return Verdict.RESTART if resuming or settled else Verdict.GIVE_UP
    if isinstance(error, ssl.SSLCertVerificationError):
        return Verdict.GIVE_UP
    if isinstance(error, OSError):
        return Verdict.RESUME
    return Verdict.RESTART if settled else Verdict.GIVE_UP
