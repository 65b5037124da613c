"""What to do after a model connection has ended, by how it ended. Pure.

The first matching line applies. What a reason means is in `service_words.py`.

========================================  ====================================================
how it ended                              what to do
========================================  ====================================================
a key, token, quota, billing or model     give up, with any code: no retry helps
  is refused in words
a handle is refused in words              reconnect without the handle: invalid or expired
1000, 1001, 1006, 1011, 1012, 1013, 1014  resume with the handle: the session still exists
any code at the announced end (goAway)    resume with the handle: only the connection is over
1007 or 1008 while resuming               reconnect without the handle: invalid or expired
1007 or 1008 before any accepted setup    give up: the setup itself (voice, option) is wrong
1007 or 1008 later on                     reconnect without the handle: the session is broken
HTTP 400, 401, 403, 404                   give up
an untrusted certificate                  give up
HTTP 429, 5xx; refused; timeout           resume with the handle, later
anything else                             reconnect without the handle
========================================  ====================================================
"""

from __future__ import annotations

import ssl
from enum import Enum, auto

from google.genai import errors
from websockets.exceptions import ConnectionClosed, InvalidStatus

from vision_agent.live.errors import code_and_reason
from vision_agent.live.service_words import is_forced_end, is_hopeless, refuses_handle

_TRANSIENT = frozenset({1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014})
_PERMANENT_STATUS = frozenset({400, 401, 403, 404})


class Verdict(Enum):
    """What to do next."""

    RESUME = auto()
    """Reconnect with the newest handle."""

    RESTART = auto()
    """Reconnect without a handle, and send the model the conversation so far."""

    GIVE_UP = auto()
    """End the call, and say why."""


def judge(error: BaseException, *, resuming: bool, settled: bool) -> Verdict:
    """What to do after a connection has ended with ``error``.

    Args:
        error: What google-genai or websockets raised.
        resuming: The session was being resumed with a handle.
        settled: A setup has been accepted before in this conversation.
    """
    if isinstance(error, TimeoutError):
        return Verdict.RESUME
    if isinstance(error, InvalidStatus):
        permanent = error.response.status_code in _PERMANENT_STATUS
        return Verdict.GIVE_UP if permanent else Verdict.RESUME
    if isinstance(error, ConnectionClosed | errors.APIError):
        code, reason = code_and_reason(error)
        if is_hopeless(reason):
            return Verdict.GIVE_UP
        if not refuses_handle(reason) and (code in _TRANSIENT or is_forced_end(reason)):
            return Verdict.RESUME
        # An expired handle has the same close codes as any other invalid request.
        return Verdict.RESTART if resuming or settled else Verdict.GIVE_UP
    if isinstance(error, ssl.SSLCertVerificationError):
        return Verdict.GIVE_UP
    if isinstance(error, OSError):
        return Verdict.RESUME
    return Verdict.RESTART if settled else Verdict.GIVE_UP
