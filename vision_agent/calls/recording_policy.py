"""Which calls are recorded: what the operator allows, and what the caller asks for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vision_agent.calls.refusal import Refusal
from vision_agent.recordings.call_files import RecordingLimits

RecordedCalls = Literal["all", "unless_declined", "asked"]
"""Which calls are recorded: every one, those whose caller does not decline, those asked for."""

OFF = "this server records no calls"
NO_CONSENT = "you have not agreed to it"


@dataclass(frozen=True, slots=True)
class RecordingDecision:
    """The decision about one call.

    Attributes:
        records: Whether it is recorded.
        why_not: What the caller is told if it is not, without a full stop; None for nothing.
    """

    records: bool
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """What the operator has decided.

    Attributes:
        limits: Where recordings are kept and how much they may be; None: nothing is recorded.
        calls: Which calls are recorded.
        needs_consent: Whether only calls are whose caller has agreed to it.
    """

    limits: RecordingLimits | None = None
    calls: RecordedCalls = "unless_declined"
    needs_consent: bool = False

    def info(self) -> dict[str, object]:
        """What a client learns before it calls."""
        return {
            "calls": "none" if self.limits is None else self.calls,
            "needs_consent": self.limits is not None and self.needs_consent,
        }

    def decide(self, asked: bool | None, agreed: bool) -> RecordingDecision:
        """Decide about a call.

        Args:
            asked: Whether its client wants it recorded; None if it does not say.
            agreed: Whether its client says that the caller has agreed.

        Raises:
            Refusal: 403; the caller declines, and every call is recorded.
        """
        if self.limits is None:
            return RecordingDecision(False, OFF if asked else None)
        if asked is False or (asked is None and self.calls == "asked"):
            if self.calls == "all" and not self.needs_consent:
                raise Refusal(403, "This server records every call: it can't be declined.")
            return RecordingDecision(False)
        if self.needs_consent and not agreed:
            return RecordingDecision(False, NO_CONSENT)
        return RecordingDecision(True)

    @property
    def may_stop(self) -> bool:
        """Whether a caller may end the recording of their call."""
        return self.calls != "all" or self.needs_consent
