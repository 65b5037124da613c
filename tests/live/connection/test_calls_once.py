"""A tool call that is delivered both in the content and by itself is one call."""

from google.genai import types

from vision_agent.live.connection.calls_once import CallsOnce

CALL = types.FunctionCall(id="c", name="measure", args={})
OTHER = types.FunctionCall(id="d", name="measure", args={})


def in_content(*calls: types.FunctionCall, text: str = "") -> types.LiveServerMessage:
    parts = [types.Part(function_call=call) for call in calls]
    parts += [types.Part(text=text)] if text else []
    turn = types.Content(role="model", parts=parts)
    return types.LiveServerMessage(server_content=types.LiveServerContent(model_turn=turn))


def by_itself(*calls: types.FunctionCall) -> types.LiveServerMessage:
    return types.LiveServerMessage(tool_call=types.LiveServerToolCall(function_calls=[*calls]))


def passed(*messages: types.LiveServerMessage) -> list[list[str | None]]:
    """The ids of each message's tool calls, as ADK reads them."""
    once, found = CallsOnce(), []
    for message in messages:
        once.received(message)
        found.append([c.id for c in message.tool_call.function_calls] if message.tool_call else [])
    return found


def test_a_call_in_both_places_is_passed_on_once():
    assert passed(in_content(CALL), by_itself(CALL)) == [["c"], []]
    assert passed(by_itself(CALL), in_content(CALL)) == [["c"], []]
    assert passed(in_content(CALL), by_itself(CALL, OTHER)) == [["c"], ["d"]]


def test_a_call_in_one_place_is_passed_on_from_either():
    assert passed(by_itself(CALL), by_itself(OTHER)) == [["c"], ["d"]]
    assert passed(in_content(CALL, OTHER)) == [["c", "d"]]


def test_calls_without_an_id_are_calls_of_their_own():
    nameless = types.FunctionCall(name="measure", args={})
    assert passed(by_itself(nameless), by_itself(nameless)) == [[None], [None]]


def test_what_else_is_in_the_message_stays():
    message = in_content(CALL, text="One moment.")
    CallsOnce().received(message)
    assert [part.text for part in message.server_content.model_turn.parts] == ["One moment."]


def test_messages_without_calls_stay_as_they_are():
    for message in (types.LiveServerMessage(), by_itself(), in_content(text="Yes.")):
        before = message.model_copy(deep=True)
        CallsOnce().received(message)
        assert message == before
