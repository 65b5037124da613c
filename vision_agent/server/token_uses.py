"""Counts how often each token has begun a conversation, until it expires. Time is an argument."""

from __future__ import annotations

from heapq import heappop, heappush

from vision_agent.calls.refusal import Refusal
from vision_agent.server.call_tokens import Grant

MAX_TOKENS = 100_000
"""Tokens that are counted at the same time. None is forgotten early: it could be used again."""


class TokenUses:
    """The uses of the tokens of this process.

    Args:
        continues_s: How long after its expiry a token still reaches what it has begun.
    """

    def __init__(self, continues_s: float) -> None:
        self._continues_s = continues_s
        self._used: dict[str, int] = {}
        self._expiries: list[tuple[float, str]] = []

    def problem(self, grant: Grant, now_s: float) -> str | None:
        """Why a token begins no conversation any more, as a sentence; None if it does.

        Args:
            grant: What the token allows.
            now_s: Seconds since 1970.
        """
        if grant.expired(now_s):
            return "The token has expired. Ask whoever gave it for a new one."
        if self._used.get(grant.token_id, 0) >= grant.uses:
            times = "once" if grant.uses == 1 else f"{grant.uses} times"
            return (
                f"The token may be used {times}, and has been. Ask whoever gave it for a new one."
            )
        return None

    def take(self, grant: Grant, now_s: float) -> None:
        """Count a use of a token that has no `problem`.

        Raises:
            Refusal: 503; too many tokens are in use.
        """
        while self._expiries and self._expiries[0][0] <= now_s:
            del self._used[heappop(self._expiries)[1]]
        if grant.token_id not in self._used:
            if len(self._used) >= MAX_TOKENS:
                raise Refusal(
                    503, "Too many tokens are in use. Try again later.", {"Retry-After": "60"}
                )
            self._used[grant.token_id] = 0
            heappush(self._expiries, (grant.expires_at_s + self._continues_s, grant.token_id))
        self._used[grant.token_id] += 1

    def give_back(self, grant: Grant) -> None:
        """Uncount a use: no conversation has begun."""
        if self._used.get(grant.token_id, 0):
            self._used[grant.token_id] -= 1

    def begun(self, grant: Grant) -> bool:
        """Whether a token has begun a conversation here."""
        return self._used.get(grant.token_id, 0) > 0
