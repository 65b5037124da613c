"""Typed texts wait for a fresh frame, for a bounded time, and never for one that can't come."""

import pytest

from vision_agent.calls.typed_turns import (
    FIRST_FRAME_S,
    FRESH_FRAME_S,
    FRESH_WAIT_S,
    MAX_WAITING,
    TypedTurns,
)

NOW_S = 1000.0


def typed(*texts: str, frame_at_s: float | None = None, since_s: float | None = None) -> TypedTurns:
    turns = TypedTurns()
    for text in texts:
        turns.add(text, NOW_S, frame_at_s=frame_at_s, camera_since_s=since_s)
    return turns


def test_without_a_camera_texts_are_sent_at_once_and_once():
    turns = typed("one", "two")
    assert turns.take(NOW_S) == ["one", "two"]
    assert turns.take(NOW_S) == []
    assert turns.due_s is None


@pytest.mark.parametrize("age_s", [0.0, FRESH_FRAME_S - 0.1])
def test_with_a_fresh_frame_no_other_is_waited_for(age_s):
    assert typed("hello", frame_at_s=NOW_S - age_s).take(NOW_S) == ["hello"]


@pytest.mark.parametrize("age_s", [FRESH_FRAME_S + 0.1, 5, 300])
def test_with_an_older_frame_a_fresh_one_is_waited_for_until_it_is_due(age_s):
    turns = typed("one", "two", frame_at_s=NOW_S - age_s)
    assert turns.due_s == NOW_S + FRESH_WAIT_S
    assert turns.take(NOW_S + FRESH_WAIT_S - 0.01) == []
    assert turns.take(NOW_S + FRESH_WAIT_S) == ["one", "two"]


def test_the_first_frame_of_a_new_camera_is_waited_for_and_no_longer_than_it_may_take():
    assert typed("hello", since_s=NOW_S - 1).due_s == NOW_S - 1 + FIRST_FRAME_S
    assert typed("hello", since_s=NOW_S - FIRST_FRAME_S).take(NOW_S) == ["hello"]


def test_a_frame_that_was_sent_ends_all_waiting():
    turns = typed("one", "two", frame_at_s=NOW_S - 5)
    assert turns.take() == ["one", "two"]
    assert turns.take() == []


def test_a_text_that_follows_waits_no_longer_than_the_one_before():
    turns = typed("one", frame_at_s=NOW_S - 5)
    turns.add("two", NOW_S + 0.5, frame_at_s=NOW_S - 5, camera_since_s=None)
    assert turns.take(NOW_S + FRESH_WAIT_S) == ["one", "two"]


def test_so_many_texts_wait_and_no_more_wherever_they_do():
    turns = typed(*["text"] * (MAX_WAITING - 1), frame_at_s=NOW_S - 5)
    assert turns.has_room(queued=0)
    assert not turns.has_room(queued=1)
