"""The decisions of a call's limits: it ends soon, it ends now, or it continues after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

About = Literal["max_call", "idle", "allowance"]


@dataclass(frozen=True, slots=True)
class EndsSoon:
    """The call ends soon; `text` says why, and what the caller can do."""

    about: About
    left_s: float
    text: str


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The call does not end soon after all."""

    about: About


@dataclass(frozen=True, slots=True)
class EndsNow:
    """The call ends now.

    Attributes:
        reason: Why, as a sentence without its full stop.
        error: A sentence for every RTVI client, if the caller may not call again for a while.
    """

    reason: str
    error: str | None = None


Verdict = EndsSoon | GoesOn | EndsNow
