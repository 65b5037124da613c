"""How a call ends, and what its caller's client is asked to do then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ends.

    Attributes:
        reason: Why, without a full stop.
        come_back: Whether the caller's client should call again by itself.
    """

    reason: str
    come_back: bool
