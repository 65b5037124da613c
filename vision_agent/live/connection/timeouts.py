"""How long to wait for the model service."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from google.genai import types

from vision_agent.live.call_options import CallOptions

_UNKNOWN_LEFT_S = 10.0
"""Assumed where `goAway` does not say how long the connection lasts: enough for most answers."""

THINKING_STALL_S = 30.0
MUCH_THINKING_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts of a model connection, in seconds.

    Attributes:
        setup_s: For a connection and the acceptance of its setup.
        stall_s: For a sign of life from a model that owes an answer.
        thinking_s: For one from a model that has said that its answer goes on.
        first_s: For a service that can't be reached when the call begins.
        budget_s: For a service that can't be reached later, before the call is given up.
        go_away_margin_s: How long before its announced end a connection is left, even in the middle
            of an answer.
        ping_every_s: From one WebSocket ping to the next.
        pong_s: For the answer to a ping. The service has been seen to take 8 to 30 s.
        acknowledged_s: For the service's machine to acknowledge what was sent (TCP).
        close_s: For the service to acknowledge a close; the socket is dropped after that. The
            service has been seen to take 1.4 to 3 s.
    """

    setup_s: float = 15.0
    stall_s: float = 10.0
    thinking_s: float = 120.0
    first_s: float = 4.0
    budget_s: float = 60.0
    go_away_margin_s: float = 2.0
    ping_every_s: float = 20.0
    pong_s: float = 45.0
    acknowledged_s: float = 20.0
    close_s: float = 5.0

    @property
    def socket_options(self) -> dict[str, Any]:
        """Options of the WebSocket client that google-genai opens."""
        return {
            # The service may send more than the 1 MiB that websockets takes by default.
            "max_size": None,
            "ping_interval": self.ping_every_s,
            "ping_timeout": self.pong_s,
            "close_timeout": self.close_s,
        }

    def for_options(self, options: CallOptions | None) -> Timeouts:
        """The timeouts of a call whose model may think for long before it says anything.

        How long it is silent then is not recorded anywhere; the time is a guess.
        """
        level, budget = (options.thinking_level, options.thinking_budget) if options else ("", 0)
        if level in ("high", "xhigh") or (budget or 0) >= MUCH_THINKING_TOKENS or budget == -1:
            return replace(self, stall_s=max(self.stall_s, THINKING_STALL_S))
        return self

    def leaves_in_s(self, go_away: types.LiveServerGoAway) -> float:
        """Seconds for which a connection is still used after its end was announced."""
        found = re.fullmatch(r"\s*(-?\d+(?:\.\d*)?)\s*s?\s*", go_away.time_left or "")
        left_s = max(0.0, float(found[1])) if found else _UNKNOWN_LEFT_S
        return left_s - min(self.go_away_margin_s, left_s / 2)
