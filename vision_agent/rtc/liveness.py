"""When a peer is given up: it does not connect, or nothing authentic comes from it. No I/O."""

from __future__ import annotations

FIRST_CHECK_S = 5.0
"""A peer that has the answer sends its first connectivity check at once."""

HANDSHAKE_S = 5.0
"""From the first check to a connection. DTLS needs two round trips, and repeats after a second."""

LATE_S = 0.5
"""A check of ours that is later than this was held up by this process, and what came meanwhile is
not counted yet."""


class Liveness:
    """Judges a peer by what has been counted of it.

    Args:
        now_s: when its offer was answered.
        connect_timeout_s: within which it has to be connected, in all.
        vanished_after_s: how long a connected peer may be wholly silent.
    """

    def __init__(self, now_s: float, *, connect_timeout_s: float, vanished_after_s: float) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._vanished_after_s = vanished_after_s
        self.interval_s = min(1.0, connect_timeout_s / 4, vanished_after_s / 8)
        self._offered_at_s = self._judged_at_s = self._heard_at_s = now_s
        self._first_check_at_s: float | None = None
        self._signs = 0

    def judge(self, now_s: float, *, connected: bool, checks: int, verified: int) -> str | None:
        """Why the peer is to be let go; None if it is not. Call it every `interval_s`.

        Args:
            now_s: the time.
            connected: whether media flows.
            checks: authenticated connectivity checks until now.
            verified: authenticated packets until now: SRTP, SRTCP, data.
        """
        held_up_s = now_s - self._judged_at_s - self.interval_s
        self._judged_at_s = now_s
        if held_up_s > LATE_S:
            self._offered_at_s += held_up_s
            if self._first_check_at_s is not None:
                self._first_check_at_s += held_up_s
        if checks and self._first_check_at_s is None:
            self._first_check_at_s = now_s
        if not connected:
            self._heard_at_s = now_s
            return self._overdue(now_s)
        if checks + verified != self._signs or held_up_s > LATE_S:
            self._signs, self._heard_at_s = checks + verified, now_s
        silent_s = now_s - self._heard_at_s
        if silent_s >= self._vanished_after_s - self.interval_s:
            return f"nothing was heard of the peer for {silent_s:.0f} s"
        return None

    def _overdue(self, now_s: float) -> str | None:
        waited_s = now_s - self._offered_at_s
        if waited_s >= self._connect_timeout_s:
            return f"the peer did not connect within {self._connect_timeout_s:g} s"
        if self._first_check_at_s is None:
            if waited_s >= FIRST_CHECK_S:
                return f"the peer did not connect: no check of it came within {FIRST_CHECK_S:g} s"
        elif now_s - self._first_check_at_s >= HANDSHAKE_S:
            return f"the peer did not connect: its handshake was not done in {HANDSHAKE_S:g} s"
        return None
