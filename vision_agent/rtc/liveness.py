"""Decides when a peer is given up: it does not connect, or sends nothing authentic. No I/O."""

from __future__ import annotations

FIRST_CHECK_S = 5.0
"""The time limit for the first connectivity check, which a peer sends when it has the answer."""

HANDSHAKE_S = 10.0
"""The time limit from the first check to the connection. OpenSSL's timer for a lost DTLS flight
expires after 1, 3 and 7 seconds, and a check of aioice is repeated after 0.5, 1.5, 3.5 and 7.5."""

LATE_S = 0.5
"""If `judge` is called later than this, the process was held up, and the packets that arrived
meanwhile are not counted yet."""


class Liveness:
    """Judges a peer by its counted checks and packets.

    Args:
        now_s: the time at which its offer was answered.
        connect_timeout_s: the total time in which it has to connect.
        vanished_after_s: how long a connected peer may be wholly silent.

    Attributes:
        interval_s: the interval at which `judge` is to be called.
    """

    def __init__(self, now_s: float, *, connect_timeout_s: float, vanished_after_s: float) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._vanished_after_s = vanished_after_s
        self.interval_s = min(1.0, connect_timeout_s / 4, vanished_after_s / 8)
        self._offered_at_s = self._judged_at_s = self._received_at_s = now_s
        self._first_check_at_s: float | None = None
        self._signs = 0

    def judge(self, now_s: float, *, connected: bool, checks: int, verified: int) -> str | None:
        """Why the peer is to be given up; None if it is not. To be called every `interval_s`.

        Args:
            now_s: the monotonic time.
            connected: whether the peer has connected.
            checks: the number of authenticated connectivity checks so far.
            verified: the number of authenticated packets so far: SRTP, SRTCP and data.
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
            self._received_at_s = now_s
            return self._overdue(now_s)
        if checks + verified != self._signs or held_up_s > LATE_S:
            self._signs, self._received_at_s = checks + verified, now_s
        silent_s = now_s - self._received_at_s
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
