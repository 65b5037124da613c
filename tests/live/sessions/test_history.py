"""The part of a conversation that is kept and replayed."""

from google.adk.events.event import Event
from google.genai import types

from tests.live.sessions.stores import answered, said, turn_end, typed
from vision_agent.live.sessions.history import (
    MAX_LINES_CHARS,
    ConversationLine,
    lines,
    newest,
    restored,
)


def call(call_id: str) -> Event:
    asked = types.FunctionCall(id=call_id, name="look", args={})
    return Event(
        author="agent",
        content=types.Content(role="model", parts=[types.Part(function_call=asked)]),
    )


def result(call_id: str) -> Event:
    found = types.FunctionResponse(id=call_id, name="look", response={"seen": "a cup"})
    return Event(
        author="agent",
        content=types.Content(role="user", parts=[types.Part(function_response=found)]),
    )


def test_a_call_that_never_got_its_result_is_left_out():
    events = [said("what is this"), call("1"), result("1"), answered("A cup."), call("2")]
    assert restored(events) == events[:-1]


def test_a_result_whose_call_was_cut_off_is_left_out():
    events = [result("1"), answered("A cup.")]
    assert restored(events) == events[1:]


def test_words_that_were_told_after_their_answer_come_before_it():
    question, answer, end, typed_one = said("hello"), answered("Hi."), turn_end(), typed("bye")
    assert restored([answer, question, end, typed_one]) == [question, answer, end, typed_one]


def test_a_question_after_an_answer_stays_where_it_is():
    events = [said("hello"), answered("Hi."), turn_end(), said("what do you see")]
    assert restored(events) == events


def test_words_are_of_no_live_session_any_more_and_tools_still_are():
    events = [call("1"), result("1"), answered("A cup.")]
    for event in events:
        event.live_session_id = "s"
    assert [event.live_session_id for event in restored(events)] == ["s", "s", None]
    assert [event.live_session_id for event in events] == ["s", "s", "s"]


def test_the_newest_lines_are_shown_when_there_are_too_many():
    events = [said("x" * 1_000) for _ in range(100)] + [answered("The end.")]
    shown = lines(events)
    assert shown[-1] == ConversationLine("agent", "The end.")
    assert sum(len(line.text) for line in shown) <= MAX_LINES_CHARS


def test_a_line_says_which_agent_said_it():
    shown = lines([said("hello"), answered("Hi.")])
    assert newest(shown, 1_000) == [
        {"who": "user", "text": "hello"},
        {"who": "agent", "text": "Hi.", "agent": answered("Hi.").author},
    ]


def test_tools_are_no_lines():
    assert lines([call("1"), result("1"), turn_end()]) == []
