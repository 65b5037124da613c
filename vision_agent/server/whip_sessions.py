"""The WHIP sessions (RFC 9725) of the calls in progress. No I/O."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from vision_agent.calls.call import Call
from vision_agent.rtc import Offer
from vision_agent.rtc.sdp_fragment import SdpFragment
from vision_agent.worker_name import named


@dataclass(frozen=True, slots=True)
class WhipSession:
    """A call that was begun by WHIP.

    Attributes:
        call: The call.
        key: Names the session in its URL. Unguessable; whoever has it controls the call.
        entity_tag: Identifies the session's ICE credentials, in the quotes of an `ETag`.
        credentials: The ICE user names and passwords of the caller.
    """

    call: Call
    key: str
    entity_tag: str
    credentials: frozenset[tuple[str, str]]

    def restarts_ice(self, fragment: SdpFragment) -> bool:
        """Whether a fragment has other ICE credentials than the session."""
        known = [
            pair
            for pair in self.credentials
            if fragment.ufrag in (None, pair[0]) and fragment.password in (None, pair[1])
        ]
        return not known

    def matches(self, if_match: str) -> bool:
        """Whether an `If-Match` header names the session's ICE credentials (RFC 9110 13.1.1).

        RFC 9725 writes the asterisk in quotes in its example, so both forms are taken.
        """
        tags = [tag.strip() for tag in if_match.split(",")]
        return self.entity_tag in tags or bool({"*", '"*"'} & set(tags))


class WhipSessions:
    """Finds sessions by their key, as long as their calls last.

    Args:
        in_progress: Whether a call, by its id, has not ended.
        worker: The server's name among several; keys begin with it.
    """

    def __init__(self, in_progress: Callable[[str], bool], worker: str = "") -> None:
        self._in_progress = in_progress
        self._worker = worker
        self._sessions: dict[str, WhipSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, call: Call, offer: Offer) -> WhipSession:
        """A session for a call that has just begun, by this offer."""
        self._sessions = {key: one for key, one in self._sessions.items() if self._lasts(one)}
        credentials = frozenset(one.credentials for one in offer.sections if one.accepted)
        key = named(self._worker, secrets.token_urlsafe(24))
        session = WhipSession(call, key, f'"{secrets.token_hex(8)}"', credentials)
        self._sessions[session.key] = session
        return session

    def find(self, key: str) -> WhipSession | None:
        """The session with this key; None if there is none, or its call has ended."""
        session = self._sessions.get(key)
        return session if session is not None and self._lasts(session) else None

    def _lasts(self, session: WhipSession) -> bool:
        return self._in_progress(session.call.call_id)
