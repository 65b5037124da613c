"""When a call, or the answer to a question in it, is over. Pure: times in, the reason out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A voice pauses between sentences and while tools run. After the server's `turn_complete` a short
# silence is enough; without it, or where no packets come (a stalled network, a server that sends
# none in silence), only a long one counts.
QUIET_AFTER_TURN_MS = 700
QUIET_WITHOUT_TURN_MS = 4_000
# How long after a completed turn without sound its sound may still arrive.
VOICELESS_TURN_MS = 3_000


@dataclass(frozen=True, slots=True)
class CallProgress:
    """The state of a call, in ms on its timeline.

    Attributes:
        now_ms: The current time.
        said_ms: When the caller had said everything; None before that.
        expects_answer: Whether anything was said that calls for an answer.
        answered_ms: When the agent's voice began after `said_ms`; None before that.
        silent_since_ms: The end of the newest voiced packet of the whole call.
        received_ms: The end of the newest packet, voiced or not; None before the first.
        turn_complete_ms: When the newest turn was completed.
        is_busy: The agent is waiting for a tool.
        timeout_ms: The longest wait after `said_ms`.
        in_text: The agent answers in text: no voice is waited for.
    """

    now_ms: int
    said_ms: int | None
    expects_answer: bool
    answered_ms: int | None
    silent_since_ms: int | None
    received_ms: int | None
    turn_complete_ms: int | None
    is_busy: bool
    timeout_ms: int
    in_text: bool = False


def answers_in_text(asked: Mapping[str, Any]) -> bool:
    """Whether the agent of a call that asks for these options (`requestData`) answers in text."""
    return "TEXT" in str(asked.get("modalities", "")).upper()


def reason_to_end(progress: CallProgress) -> str | None:
    """Return why the call is over, in words, or None while it goes on."""
    p = progress
    if p.said_ms is None:
        return None
    # A turn completed in that very millisecond is the previous one.
    turn_is_complete = p.turn_complete_ms is not None and p.turn_complete_ms > p.said_ms
    if p.in_text and turn_is_complete:
        return "answered"
    waited_ms = p.now_ms - p.said_ms
    if waited_ms > p.timeout_ms:
        return "timeout"
    if p.is_busy:
        return None
    if p.answered_ms is None and p.expects_answer:
        voiceless = turn_is_complete and p.now_ms - (p.turn_complete_ms or 0) > VOICELESS_TURN_MS
        return "the agent's turn had no voice" if voiceless else None
    since_ms = max(p.silent_since_ms or 0, p.said_ms)
    quiet_ms = p.now_ms - since_ms
    if not p.expects_answer:
        return "the recording ended" if quiet_ms > QUIET_AFTER_TURN_MS else None
    received_quiet_ms = (p.received_ms or 0) - since_ms
    is_quiet = turn_is_complete and received_quiet_ms > QUIET_AFTER_TURN_MS
    return "answered" if is_quiet or quiet_ms > QUIET_WITHOUT_TURN_MS else None
