"""Counts how often each token has begun a conversation, until it expires. Time is an argument."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from vision_agent.calls.refusal import Refusal
from vision_agent.server.call_tokens import Grant

if TYPE_CHECKING:
    from vision_agent.live.sessions.shared_counts import SharedCounts

MAX_TOKENS = 100_000
"""The most tokens that are counted in memory. A token that only this process counts is never
forgotten early."""


class TokenUses:
    """The uses of tokens, of all servers together or, without shared counts, of this process.

    A use that the shared counts can't take is counted here, and added to them later.

    Args:
        continues_s: How long after its expiry a token still reaches what it has begun.
        shared: The counts of all servers; None if each counts for itself.
    """

    def __init__(self, continues_s: float, shared: SharedCounts | None = None) -> None:
        self._continues_s = continues_s
        self._shared = shared
        self._used: dict[str, int] = {}
        self._unshared: dict[str, int] = {}
        self._expiries: list[tuple[float, str]] = []
        self._one_by_one: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, grant: Grant, now_s: float) -> str | None:
        """Count a use of a token, or say in a sentence why it begins no conversation any more.

        Args:
            grant: What the token allows.
            now_s: Seconds since 1970.

        Raises:
            Refusal: 503; too many tokens are in use.
        """
        if grant.expired(now_s):
            return "The token has expired. Ask whoever gave it for a new one."
        token_id, forget_at_s = grant.token_id, grant.expires_at_s + self._continues_s
        async with self._alone(grant):
            counted = None
            if self._shared is not None:
                count = self._unshared.get(token_id, 0) + 1
                counted = await self._shared.use_token(
                    token_id, count, most=grant.uses, expires_at_s=forget_at_s
                )
            if counted:
                self._unshared.pop(token_id, None)
            if counted is False or (counted is None and self._here(grant) >= grant.uses):
                times = "once" if grant.uses == 1 else f"{grant.uses} times"
                return (
                    f"The token may be used {times}, and has been. "
                    "Ask whoever gave it for a new one."
                )
            self._remember(token_id, forget_at_s, now_s, needed=counted is None)
            if counted is None and self._shared is not None:
                self._unshared[token_id] = self._unshared.get(token_id, 0) + 1
        return None

    async def give_back(self, grant: Grant) -> None:
        """Uncount a use, because no conversation has begun."""
        token_id = grant.token_id
        async with self._alone(grant):
            if self._here(grant):
                self._used[token_id] -= 1
            if self._unshared.get(token_id, 0):
                self._unshared[token_id] -= 1
            elif self._shared is not None:
                await self._shared.give_back(token_id)

    async def begun(self, grant: Grant) -> bool:
        """Whether a token has begun a conversation."""
        if self._here(grant):
            return True
        return self._shared is not None and bool(await self._shared.has_used(grant.token_id))

    def _here(self, grant: Grant) -> int:
        return self._used.get(grant.token_id, 0)

    def _alone(self, grant: Grant) -> asyncio.Lock:
        return self._one_by_one.setdefault(grant.token_id, asyncio.Lock())

    def _remember(self, token_id: str, forget_at_s: float, now_s: float, *, needed: bool) -> None:
        while self._expiries and self._expiries[0][0] <= now_s:
            gone = heappop(self._expiries)[1]
            del self._used[gone]
            self._unshared.pop(gone, None)
        if token_id not in self._used:
            if len(self._used) >= MAX_TOKENS:
                if not needed:
                    return
                raise Refusal(
                    503, "Too many tokens are in use. Try again later.", {"Retry-After": "60"}
                )
            self._used[token_id] = 0
            heappush(self._expiries, (forget_at_s, token_id))
        self._used[token_id] += 1
