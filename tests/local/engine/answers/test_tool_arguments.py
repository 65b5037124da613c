"""Tools get their arguments from the caller's words; missing ones are asked for, not made up."""

from __future__ import annotations

import pytest

from tests.local.engine.answers.declarations import TOOLS, convert_length, declared
from vision_agent.local.contract import ToolRequest
from vision_agent.local.engine.answers.tool_matching import complete, plan_tool


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("Turn on the lamp in the kitchen.", "set_lamp", {"room": "kitchen"}),
        ("switch the living room lamp", "set_lamp", {"room": "living room"}),
        ("order two coffees please", "order_drink", {"drink": "coffee", "count": 2}),
        ("What's the weather in Paris?", "get_weather", {"city": "Paris"}),
        ("what did I tell you about my keys", "load_memory", {"query": "my keys"}),
        (
            "Remind me in five minutes to drink water.",
            "remind_me",
            {"seconds": 300, "text": "drink water"},
        ),
        (
            "remind me to call mom in one minute and thirty seconds",
            "remind_me",
            {"seconds": 90, "text": "call mom"},
        ),
        ("remind me to leave in half an hour", "remind_me", {"seconds": 1800, "text": "leave"}),
        (
            "tell me when something moves",
            "watch_for",
            {"what": "something moves", "kind": "moves"},
        ),
        ("tell me when a face appears", "watch_for", {"what": "face appears", "kind": "face"}),
        (
            "let me know when the bottle is gone",
            "watch_for",
            {"what": "bottle", "kind": "disappears"},
        ),
        ("watch for a QR code", "watch_for", {"what": "QR code", "kind": "code"}),
        ("stop watching", "stop_watching", {}),
        ("cancel my reminders", "cancel_reminders", {}),
        ("look closely at the label", "look_closely", {"what": "label"}),
        ("point at the red thing", "point_at", {"label": "red thing"}),
        ("show me where my mug is", "point_at", {"label": "my mug"}),
    ],
)
def test_what_was_said_becomes_the_arguments(
    text: str, name: str, values: dict[str, object]
) -> None:
    plan = plan_tool(text, TOOLS)
    assert plan is not None
    assert (plan.tool.name, plan.values) == (name, values)
    assert not plan.missing


@pytest.mark.parametrize(
    ("text", "name", "missing"),
    [
        ("turn on the lamp", "set_lamp", "room"),
        ("what is the weather", "get_weather", "city"),
        ("remind me to stand up", "remind_me", "seconds"),
        ("order an orange juice", "order_drink", "count"),
        ("look closer", "look_closely", "what"),
    ],
)
def test_what_was_not_said_is_asked_for(text: str, name: str, missing: str) -> None:
    plan = plan_tool(text, TOOLS)
    assert plan is not None
    assert (plan.tool.name, [parameter.name for parameter in plan.missing]) == (name, [missing])
    assert plan.question.startswith("I can do that. ")
    assert plan.question.endswith(("?", "minutes."))
    assert f"the {missing}" not in plan.question


@pytest.mark.parametrize(
    "text",
    [
        *("My sister told me when she moved", "I remember my first car", "it is time to go"),
        *("what do you see", "tell me a joke", "how is your mother", "thank you"),
        *("I always point out that the weather in Paris is bad", "where is the red thing"),
    ],
)
def test_what_is_no_request_calls_nothing(text: str) -> None:
    assert plan_tool(text, TOOLS) is None


def test_the_answer_to_the_question_completes_the_call() -> None:
    asked = plan_tool("turn on the lamp", TOOLS)
    assert asked is not None
    plan = complete(asked, "the kitchen please")
    assert plan is not None
    assert plan.call == ToolRequest("set_lamp", {"room": "kitchen"})
    assert not plan.missing
    assert complete(asked, "the garage") is None

    reminder = plan_tool("remind me to stand up", TOOLS)
    assert reminder is not None
    for answer in ("in two minutes", "120"):
        plan = complete(reminder, answer)
        assert plan is not None
        assert plan.values == {"text": "stand up", "seconds": 120}


def test_a_second_text_is_asked_for_after_the_first() -> None:
    plan = plan_tool("send a message", TOOLS)
    assert plan is not None
    assert plan.question == "I can do that. Which subject?"
    plan = complete(plan, "lunch")
    assert plan is not None
    assert plan.question == "I can do that. Which body?"
    plan = complete(plan, "see you at noon")
    assert plan is not None
    assert plan.call == ToolRequest("send_message", {"subject": "lunch", "body": "see you at noon"})


def test_of_two_lists_each_gives_a_value_in_the_order_they_are_named() -> None:
    plan = plan_tool("Convert 6 inches to centimetres", [declared(convert_length)])
    assert plan is not None
    values = {"value": 6, "unit": "inches", "to": "centimetres"}
    assert plan.call == ToolRequest("convert_length", values)


def test_a_yes_or_no_that_a_tool_needs_is_not_taken_from_a_sentence() -> None:
    properties = {"on": {"type": "boolean"}}
    schema = {"type": "object", "properties": properties, "required": ["on"]}
    plan = plan_tool("turn on the fan", [{"name": "set_fan", "parameters": schema}])
    assert plan is not None
    assert not plan.can_be_asked_for
    assert plan.question.startswith("I can't do that one by myself. It needs the on, which is yes")


def test_places_in_the_frame_are_left_to_the_eyes() -> None:
    plan = plan_tool("point at the QR code", TOOLS)
    assert plan is not None
    assert [parameter.name for parameter in plan.boxes] == ["box_2d"]
    assert plan.about == "qr code"
