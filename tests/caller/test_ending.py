from dataclasses import replace

import pytest

from vision_agent.caller.ending import (
    QUIET_AFTER_TURN_MS,
    QUIET_WITHOUT_TURN_MS,
    CallProgress,
    reason_to_end,
)

ANSWERED = CallProgress(
    now_ms=10_000 + QUIET_AFTER_TURN_MS + 1,
    said_ms=8_000,
    expects_answer=True,
    answered_ms=9_000,
    silent_since_ms=10_000,
    received_ms=10_000 + QUIET_AFTER_TURN_MS + 1,
    turn_complete_ms=9_500,
    is_busy=False,
    timeout_ms=60_000,
)


def test_a_call_ends_when_the_answer_is_complete_and_a_while_quiet() -> None:
    assert reason_to_end(ANSWERED) == "answered"


@pytest.mark.parametrize(
    "change",
    [
        {"said_ms": None},
        {"received_ms": 10_000 + QUIET_AFTER_TURN_MS},
        {"received_ms": 10_000},
        {"is_busy": True},
        {"turn_complete_ms": None},
        {"turn_complete_ms": 7_000},
        {"turn_complete_ms": 8_000, "in_text": True},
        {"answered_ms": None, "turn_complete_ms": None},
    ],
    ids=[
        "still asking",
        "just quiet",
        "packets stay away",
        "a tool runs",
        "no turn",
        "an older turn",
        "the turn before, in the same millisecond",
        "no voice yet",
    ],
)
def test_a_call_goes_on(change: dict[str, object]) -> None:
    assert reason_to_end(replace(ANSWERED, **change)) is None


def test_without_a_word_that_the_turn_is_complete_a_long_silence_decides() -> None:
    quiet = replace(ANSWERED, turn_complete_ms=None, now_ms=10_001 + QUIET_WITHOUT_TURN_MS)
    assert reason_to_end(quiet) == "answered"


@pytest.mark.parametrize("received_ms", [10_000, None])
def test_where_no_packets_come_a_long_silence_decides(received_ms: int | None) -> None:
    quiet = replace(ANSWERED, received_ms=received_ms, now_ms=10_001 + QUIET_WITHOUT_TURN_MS)
    assert reason_to_end(quiet) == "answered"


def test_a_turn_that_never_sounds_is_not_waited_for() -> None:
    silent = replace(ANSWERED, answered_ms=None, silent_since_ms=None, now_ms=13_000)
    assert reason_to_end(silent) == "the agent's turn had no voice"


def test_no_answer_and_an_endless_one_run_into_the_timeout() -> None:
    late = replace(ANSWERED, now_ms=68_001, answered_ms=None, turn_complete_ms=None)
    assert reason_to_end(late) == "timeout"
    assert reason_to_end(replace(late, answered_ms=9_000, silent_since_ms=68_000)) == "timeout"
    assert reason_to_end(replace(late, is_busy=True)) == "timeout"


def test_a_recording_that_asks_nothing_ends_with_itself() -> None:
    shown = replace(ANSWERED, expects_answer=False, answered_ms=None, silent_since_ms=None)
    assert reason_to_end(shown) == "the recording ended"
    assert reason_to_end(replace(shown, now_ms=8_100)) is None
    assert reason_to_end(replace(shown, silent_since_ms=shown.now_ms - 10)) is None
