"""The attempts to hold a model connection: what the present one is, and what came before. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vision_agent.live.connection.close_policy import Verdict, judge
from vision_agent.live.connection.ledger import Replay
from vision_agent.live.errors import ConnectionLeft, code_and_reason
from vision_agent.live.service_words import is_forced_end

MAX_BROKEN_RESUMES = 2
"""Resumed connections in a row that may end with 1011 before the model has said anything."""

MAX_REFUSED_RESUMES = 5
"""Resumptions in a row that may be refused with 1011. While an earlier call's socket is not closed
yet, the service refuses to resume its session (reported); it takes up to 3 s to close one."""

_BROKEN = 1011


@dataclass(slots=True)
class Attempt:
    """The successive attempts of one conversation.

    Attributes:
        connected_before: Whether any attempt has led to a connection.
    """

    connected_before: bool = False
    _resuming: bool = False
    _accepted: bool = False
    _refusals: int = 0
    _broken_resumes: int = 0

    def begin(self, replay: Replay) -> bool:
        """The next attempt begins.

        Returns:
            Whether it makes a new session that is sent a history first.
        """
        self._resuming = replay.handle is not None
        self._accepted = False
        return replay.handle is None and bool(replay.contents)

    @property
    def refused_twice(self) -> bool:
        """Whether the service has refused the last two attempts."""
        return self._refusals > 1

    def connected(self) -> None:
        """The setup was accepted, and the model has been sent what it missed."""
        self.connected_before = self._accepted = True

    def answered(self) -> None:
        """The model has said or called something: it has accepted what it was sent."""
        self._refusals = self._broken_resumes = 0

    def ended(self, error: BaseException) -> Verdict:
        """The attempt has ended with this error; what to do next."""
        if isinstance(error, ConnectionLeft):
            return Verdict.RESUME
        verdict = judge(error, resuming=self._resuming, settled=self.connected_before)
        if verdict is Verdict.RESUME and self._resuming and _is_broken(error):
            self._broken_resumes += 1
            if self._broken_resumes >= (
                MAX_BROKEN_RESUMES if self._accepted else MAX_REFUSED_RESUMES
            ):
                # What the service remembers of the session may be what it fails on.
                self._broken_resumes = 0
                return Verdict.RESTART
        if verdict is Verdict.RESTART:
            self._refusals += 1
        return verdict


def _is_broken(error: BaseException) -> bool:
    code, reason = code_and_reason(error)
    return code == _BROKEN and not is_forced_end(reason)
