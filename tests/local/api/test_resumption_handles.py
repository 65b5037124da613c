"""Resumption handles: how long they are valid, and how much memory they take."""

from __future__ import annotations

from vision_agent.local.api.resumption_handles import (
    MAX_HANDLES,
    MAX_SESSIONS_WITH_FRAMES,
    VALID_S,
    ResumptionHandles,
)
from vision_agent.local.api.session_history import (
    MAX_ENTRIES,
    MAX_FRAMES,
    SavedSession,
    SessionHistory,
)
from vision_agent.local.api.usage import Amounts
from vision_agent.local.contract import Said, SeenFrame

REMEMBERED = SavedSession((Said("user", "hello"),), (SeenFrame(b"jpeg", -100),), (0,), (0,))


def test_a_handle_is_good_for_two_hours() -> None:
    handles = ResumptionHandles()
    handle = handles.save("a", REMEMBERED, 100.0)
    assert handles.find(handle, 100.0 + VALID_S - 1) == REMEMBERED
    assert handles.find(handle, 100.0 + VALID_S) is None
    assert len(handles) == 0


def test_an_unknown_handle_stands_for_nothing() -> None:
    assert ResumptionHandles().find("unknown", 0.0) is None


def test_only_the_newest_handle_of_a_session_keeps_the_frames() -> None:
    handles = ResumptionHandles()
    older = handles.save("a", REMEMBERED, 0.0)
    newer = handles.save("a", REMEMBERED, 1.0)
    assert handles.find(older, 2.0) == REMEMBERED.without_frames()
    assert handles.find(newer, 2.0) == REMEMBERED


def test_only_the_newest_sessions_keep_frames() -> None:
    handles = ResumptionHandles()
    first = handles.save("0", REMEMBERED, 0.0)
    for number in range(1, MAX_SESSIONS_WITH_FRAMES + 1):
        newest = handles.save(str(number), REMEMBERED, 0.0)
    assert handles.find(first, 0.0) == REMEMBERED.without_frames()
    assert handles.find(newest, 0.0) == REMEMBERED


def test_the_oldest_handles_are_forgotten_when_there_are_too_many() -> None:
    handles = ResumptionHandles()
    first = handles.save("a", REMEMBERED, 0.0)
    for _ in range(MAX_HANDLES):
        handles.save("a", REMEMBERED, 0.0)
    assert len(handles) == MAX_HANDLES
    assert handles.find(first, 0.0) is None


def test_memory_keeps_the_newest_words_and_frames() -> None:
    memory = SessionHistory()
    for number in range(MAX_ENTRIES + 1):
        memory.add(Said("user", str(number)), 0)
        memory.saw(b"jpeg", number, 0)
    assert (len(memory.history), memory.history[0]) == (MAX_ENTRIES, ("user", "1"))
    assert len(memory.frames) == MAX_FRAMES
    assert memory.frames[-1].at_ms == MAX_ENTRIES


def test_silence_is_not_remembered() -> None:
    memory = SessionHistory()
    memory.add(Said("model", " "), 0)
    assert memory.history == ()


def test_only_an_unanswered_question_can_be_taken_back() -> None:
    memory = SessionHistory()
    assert memory.take_unanswered() == ""
    memory.add(Said("user", "hello"), 0)
    assert memory.take_unanswered() == "hello"
    memory.add(Said("user", "hello"), 0)
    memory.add(Said("model", "Hi."), 0)
    assert memory.take_unanswered() == ""
    assert memory.history == (("user", "hello"), ("model", "Hi."))


def test_a_resumed_memory_dates_its_frames_before_its_beginning() -> None:
    memory = SessionHistory()
    memory.saw(b"jpeg", 400, 3)
    resumed = SessionHistory(memory.snapshot(1000, first_turn=3, turns=(Amounts(),), age_s=1.0))
    assert resumed.frames == (SeenFrame(b"jpeg", -600),)
