"""The calls in progress: how many there may be, and how they end together."""

from __future__ import annotations

import asyncio
import gc
import uuid

from vision_agent.call import Call
from vision_agent.metrics import Metrics
from vision_agent.settings import Settings
from vision_agent.switchboard import Switchboard

CLOSE_TIMEOUT_S = 1.5
"""Bound on ending all calls together, so that a server stops within two seconds."""

COLLECT_AFTER_S = 0.5


class FullHouse(RuntimeError):
    """Every slot is taken."""


class CallRegistry:
    """Starts calls, finds them by id, and knows when each is over.

    Args:
        agents: Who answers.
        settings: The server's options.
        metrics: The server's counters.
    """

    def __init__(self, agents: Switchboard, settings: Settings, metrics: Metrics) -> None:
        self._agents = agents
        self._settings = settings
        self._metrics = metrics
        self._calls: dict[str, Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, call_id: str) -> Call | None:
        """The call with this id, unless it has ended."""
        return self._calls.get(call_id)

    async def start(
        self, sdp: str, *, voice: str | None, user: str = "", agent: str | None = None
    ) -> tuple[Call, str]:
        """A new call for an offer, and the answer's SDP.

        Args:
            sdp: The offer.
            voice: The voice for this call; None for the server's.
            user: Who calls, to remember what is said; empty for somebody unknown.
            agent: Whom they call; None for the first agent.

        Raises:
            UnknownAgent: There is none of that name.
            FullHouse: No slot is free.
            BadOffer: The offer is none; its slot is free again.
        """
        host = self._agents.find(agent)
        if len(self._calls) >= self._settings.max_calls:
            raise FullHouse(f"All {self._settings.max_calls} lines are busy. Try again shortly.")
        call = Call(
            uuid.uuid4().hex,
            host,
            self._settings,
            self._metrics,
            voice=voice,
            user=user,
            on_closed=self._forget,
        )
        self._calls[call.call_id] = call
        self._metrics.calls.set(len(self._calls))
        try:
            return call, await call.answer(sdp)
        except BaseException:
            await call.close("the offer failed")
            raise

    async def close(self, reason: str) -> None:
        """End every call, bounded in time."""
        closing = [asyncio.create_task(call.close(reason)) for call in self._calls.values()]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_TIMEOUT_S)

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.call_id, None)
        self._metrics.calls.set(len(self._calls))
        # A call's objects, aiortc's above all, refer to each other in circles, with pictures and
        # decoders hanging on them: some 10 MB that the collector would get round to much later.
        # Not at once: the task that closes it still holds it.
        asyncio.get_running_loop().call_later(COLLECT_AFTER_S, gc.collect)
