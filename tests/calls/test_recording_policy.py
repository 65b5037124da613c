"""The operator decides first which calls are recorded, and then the caller."""

from pathlib import Path

import pytest

from vision_agent.calls.recording_policy import RecordingDecision, RecordingPolicy
from vision_agent.calls.refusal import Refusal
from vision_agent.recordings.call_files import RecordingLimits

SOME = RecordingLimits(Path("calls"))
YES, NO = RecordingDecision(True), RecordingDecision(False)
OFF = RecordingDecision(False, "this server records no calls")
UNASKED = RecordingDecision(False, "you have not agreed to it")


@pytest.mark.parametrize(
    ("calls", "consent", "asked", "agreed", "expected"),
    [
        ("unless_declined", False, None, False, YES),
        ("unless_declined", False, True, False, YES),
        ("unless_declined", False, False, True, NO),
        ("unless_declined", True, None, False, UNASKED),
        ("unless_declined", True, True, False, UNASKED),
        ("unless_declined", True, None, True, YES),
        ("asked", False, None, True, NO),
        ("asked", False, True, False, YES),
        ("asked", True, True, False, UNASKED),
        ("asked", True, True, True, YES),
        ("all", False, None, False, YES),
        ("all", True, None, False, UNASKED),
        ("all", True, False, False, NO),
        ("all", True, None, True, YES),
    ],
)
def test_what_the_operator_allows_and_the_caller_wants(calls, consent, asked, agreed, expected):
    assert RecordingPolicy(SOME, calls, consent).decide(asked, agreed) == expected


def test_a_caller_who_declines_where_every_call_is_recorded_is_not_answered():
    with pytest.raises(Refusal, match="records every call") as refused:
        RecordingPolicy(SOME, "all").decide(False, True)
    assert refused.value.status == 403


@pytest.mark.parametrize("asked", [None, True, False])
def test_nobody_switches_recording_on_where_the_operator_has_not(asked):
    policy = RecordingPolicy(None, "all", True)
    assert policy.decide(asked, True) == (OFF if asked else NO)
    assert policy.info() == {"calls": "none", "needs_consent": False}
