"""Which tool calls repeat an earlier one, and which are new requests."""

import pytest
from google.genai import types

from vision_agent.live.tools.repeated_calls import RepeatedCalls, wish_of


def calls(repeated: RepeatedCalls, *ids: str, slot: object = "tomorrow 3pm") -> list[str | None]:
    """The model makes these calls in one message; returns which call each repeats."""
    functions = [types.FunctionCall(id=each, name="book", args={"slot": slot}) for each in ids]
    tool_call = types.LiveServerToolCall(function_calls=functions)
    repeated.received(types.LiveServerMessage(tool_call=tool_call))
    return [repeated.original_of(each) for each in ids]


def sends(repeated: RepeatedCalls, **content: object) -> None:
    part = types.LiveServerContent(**content)
    repeated.received(types.LiveServerMessage(server_content=part))


def says(repeated: RepeatedCalls, text: str) -> None:
    sends(repeated, output_transcription=types.Transcription(text=text))


def test_a_call_made_again_after_an_interruption_repeats_the_first():
    repeated = RepeatedCalls()
    assert calls(repeated, "a") == [None]
    sends(repeated, interrupted=True)
    assert calls(repeated, "b", slot="Tomorrow at 3pm.") == ["a"]
    sends(repeated, interrupted=True)
    assert calls(repeated, "c") == ["a"]


def test_a_call_made_again_after_a_lost_connection_repeats_the_first():
    repeated = RepeatedCalls()
    calls(repeated, "a")
    repeated.interrupted()
    assert calls(repeated, "b") == ["a"]


def test_a_result_that_the_model_has_not_used_is_not_fetched_again():
    repeated = RepeatedCalls()
    calls(repeated, "a")
    sends(repeated, interrupted=True)
    repeated.returned("a")
    sends(repeated, turn_complete=True)
    thought = types.Content(parts=[types.Part(text="They want to stop.", thought=True)])
    sends(repeated, model_turn=thought)
    assert calls(repeated, "b") == ["a"]


def test_a_result_that_the_model_has_spoken_about_belongs_to_a_wish_fulfilled():
    repeated = RepeatedCalls()
    calls(repeated, "a")
    sends(repeated, interrupted=True)
    repeated.returned("a")
    says(repeated, "It is booked.")
    sends(repeated, turn_complete=True)
    sends(repeated, interrupted=True)
    assert calls(repeated, "b") == [None]


def test_what_the_model_says_while_a_tool_runs_does_not_fulfil_the_wish():
    repeated = RepeatedCalls()
    calls(repeated, "a")
    says(repeated, "One moment.")
    sends(repeated, interrupted=True)
    assert calls(repeated, "b") == ["a"]


def test_without_an_interruption_each_call_is_a_wish_of_its_own():
    repeated = RepeatedCalls()
    assert calls(repeated, "a", "b") == [None, None]
    assert calls(repeated, "c") == [None]


def test_two_equal_calls_that_are_made_again_repeat_one_each():
    repeated = RepeatedCalls()
    calls(repeated, "a", "b")
    sends(repeated, interrupted=True)
    assert calls(repeated, "c", "d", "e") == ["a", "b", None]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("tomorrow 3pm", "tomorrow at 3pm", True),
        ("the blue Mug", "blue mug.", True),
        ("tomorrow 3pm", "tomorrow 4pm", False),
        ("-5", "5", False),
        ("3.5", "35", False),
        ("from A to B", "from B to A", False),
        ("the", "a", False),
        (3, 3, True),
        (3, 4, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_arguments_may_differ_in_wording_only(one, other, same):
    assert (wish_of("book", {"slot": one}) == wish_of("book", {"slot": other})) is same


def test_an_argument_without_a_value_is_as_good_as_none():
    assert wish_of("book", {"slot": 3, "note": None}) == wish_of("book", {"slot": 3})
    assert wish_of("book", {"slot": 3}) != wish_of("cancel", {"slot": 3})


def test_the_oldest_calls_are_forgotten():
    repeated = RepeatedCalls()
    for number in range(100):
        calls(repeated, f"call {number}", slot=number)
    sends(repeated, interrupted=True)
    assert calls(repeated, "again", slot=0) == [None]
    assert calls(repeated, "newer", slot=99) == ["call 99"]
