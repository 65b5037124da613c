"""How much of the server one user, one address, one call and one conversation may use.

The limits leave room for an office behind one address, and keep a single client from taking every
slot. Time is an argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision_agent.addresses import counted_as
from vision_agent.calls.allowance import Allowance, DailyLimits, DailyUse
from vision_agent.calls.rate import Rate
from vision_agent.calls.refusal import Refusal
from vision_agent.calls.shared_days import SharedDays

if TYPE_CHECKING:
    from vision_agent.live.sessions.shared_counts import SharedCounts

RESTARTS_AT_ONCE = 10
"""On an unstable network, a client retries about seven times in half a minute."""

CALLS_AT_ONCE = 40
"""Of one address. Starting a call takes some 20 ms of the event loop, even if the call never
connects; a refused offer takes next to nothing."""

TRICKLES_PER_MINUTE = 300
TRICKLES_AT_ONCE = 100

UNCONNECTED_RETRY_S = 5
LINES_RETRY_S = 30


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much one user, one address and one call may have; 0 for no limit.

    Attributes:
        calls_per_user: Calls of one user at the same time.
        offers_per_minute_per_user: Offers of one user.
        daily_per_user: What one user may use in a day.
        daily_per_address: The same for one address.
        calls_per_address: Calls at the same time.
        unconnected_calls_per_address: Of them, those still connecting.
        offers_per_minute: Offers from one address.
        restarts_per_minute: New peer connections of one call.
        wrong_tokens_per_minute: Wrong access tokens from one address.
    """

    calls_per_address: int
    unconnected_calls_per_address: int
    offers_per_minute: float
    restarts_per_minute: float
    wrong_tokens_per_minute: float
    calls_per_user: int
    offers_per_minute_per_user: float
    daily_per_user: DailyLimits
    daily_per_address: DailyLimits


class Admission:
    """Raises `Refusal` (429 with `Retry-After`) for a client that asks for too much.

    Nothing is counted for an empty address or user, which stands for an unknown one.

    Args:
        limits: The limits.
        counts: Counts what is used in a day for all servers; None if each counts for itself.

    Attributes:
        days: Keeps what is used in a day in those counts; None without.
    """

    def __init__(self, limits: AdmissionLimits, counts: SharedCounts | None = None) -> None:
        self._lines = limits.calls_per_address
        self._unconnected = limits.unconnected_calls_per_address
        self._offers = Rate(limits.offers_per_minute)
        self._begun = Rate(limits.offers_per_minute / 2, CALLS_AT_ONCE)
        self._sessions = Rate(limits.offers_per_minute / 2, CALLS_AT_ONCE)
        self._restarts = Rate(limits.restarts_per_minute, RESTARTS_AT_ONCE)
        self._trickles = Rate(TRICKLES_PER_MINUTE, TRICKLES_AT_ONCE)
        self._wrong_tokens = Rate(limits.wrong_tokens_per_minute)
        self._user_calls = limits.calls_per_user
        self._user_offers = Rate(limits.offers_per_minute_per_user)
        self._user_days = DailyUse(limits.daily_per_user, "your")
        self._address_days = DailyUse(limits.daily_per_address, "your address's")
        uses = {"user": self._user_days, "address": self._address_days}
        self.days = SharedDays(counts, uses) if counts else None

    def offer(self, address: str, now_s: float) -> None:
        """Count an offer of any kind."""
        if address:
            _wait(
                self._offers.take(counted_as(address), now_s),
                "Too many offers have come from your address.",
            )

    def user_offer(self, user: str, now_s: float) -> None:
        """Count an offer of any kind, by ADK's user."""
        if user:
            _wait(self._user_offers.take(user, now_s), "Too many offers have come from you.")

    async def recall(self, user: str, address: str) -> None:
        """Read what a caller has used today in all servers; waits a moment at most."""
        if self.days is not None:
            key = counted_as(address) if address else ""
            await self.days.recall({"user": user, "address": key})

    def allowance(self, user: str, address: str) -> Allowance:
        """What a new call may use today; refused if nothing is left."""
        key = counted_as(address) if address else ""
        allowance = Allowance(((self._user_days, user), (self._address_days, key)))
        if (problem := allowance.problem) is not None:
            text = f"{problem[0].upper()}{problem[1:]}."
            _refuse(text, math.ceil(allowance.renewed_in_s))
        return allowance

    def user_line(self, calls: int) -> None:
        """Check one more call of a user, who has so many."""
        if self._user_calls and calls >= self._user_calls:
            _refuse(f"You have {calls} calls here, as many as one user may have.", LINES_RETRY_S)

    def begin(self, address: str, now_s: float) -> None:
        """Count an offer that starts, resumes or restarts a call."""
        if address:
            _wait(
                self._begun.take(counted_as(address), now_s),
                "Too many calls have been begun from your address.",
            )

    def session(self, address: str, now_s: float) -> None:
        """Count a session that is begun before its call."""
        if address:
            _wait(
                self._sessions.take(counted_as(address), now_s),
                "Too many sessions have been begun from your address.",
            )

    def restart(self, what: str, now_s: float) -> None:
        """Count a new connection of a call or of a conversation, by its id."""
        _wait(
            self._restarts.take(what, now_s),
            "This call has been connected anew too often.",
        )

    def trickle(self, call_id: str, now_s: float) -> None:
        """Count a request with candidates for a call."""
        _wait(self._trickles.take(call_id, now_s), "Too many candidates have come for this call.")

    def token(self, address: str, now_s: float) -> None:
        """Check an address before its access token is compared."""
        if address:
            _wait(
                self._wrong_tokens.wait_s(counted_as(address), now_s),
                "Too many wrong access tokens have come from your address.",
            )

    def wrong_token(self, address: str, now_s: float) -> None:
        """Count a wrong access token."""
        if address:
            self._wrong_tokens.take(counted_as(address), now_s)

    def line(self, calls: int, unconnected: int) -> None:
        """Check one more call of an address.

        Args:
            calls: How many calls the address has.
            unconnected: How many of them are not connected yet.
        """
        if self._unconnected and unconnected >= self._unconnected:
            _refuse(
                f"{unconnected} calls from your address are still connecting.",
                UNCONNECTED_RETRY_S,
            )
        if self._lines and calls >= self._lines:
            _refuse(
                f"Your address has {calls} calls here, as many as one address may have.",
                LINES_RETRY_S,
            )


def _wait(wait_s: float, text: str) -> None:
    if wait_s:
        _refuse(text, math.ceil(wait_s))


def _refuse(text: str, retry_after_s: int) -> None:
    raise Refusal(429, f"{text} Try again later.", {"Retry-After": str(retry_after_s)})
