import pytest

from vision_agent.local.contract import ToolRequest
from vision_agent.local.engine.answers.tool_matching import plan_tool

TIME = {"name": "get_current_time", "description": "Tell the current time and date."}
VOLUME = {
    "name": "set_volume",
    "description": "Set the loudness of the voice.",
    "parameters": {
        "type": "OBJECT",
        "properties": {"level": {"type": "INTEGER"}},
        "required": ["level"],
    },
}
WEATHER = {
    "name": "getWeather",
    "description": "Look up the weather of a city.",
    "parameters_json_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city"],
    },
}
TOOLS = [TIME, VOLUME, WEATHER]


def match_tool(text, tools):
    plan = plan_tool(text, tools)
    return plan.call if plan and not plan.missing and not plan.boxes else None


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("What time is it?", ToolRequest("get_current_time")),
        ("What's the current time?", ToolRequest("get_current_time")),
        ("tell me the date please", ToolRequest("get_current_time")),
        ("Set the volume to 5", ToolRequest("set_volume", {"level": 5})),
        ("What is the weather in Paris?", ToolRequest("getWeather", {"city": "Paris"})),
        ("how is the weather in new york please", ToolRequest("getWeather", {"city": "new york"})),
    ],
)
def test_a_tool_that_is_plainly_asked_for_is_called_with_what_was_said(text, call):
    assert match_tool(text, TOOLS) == call


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It's high time we left.",
        "What do you see?",
        "Set the volume",  # the level is missing
        "What is the weather?",  # so is the city
        "What time did the last train to Berlin leave yesterday evening?",
        "Tell me a story about a king who lost track of time",
    ],
)
def test_what_is_not_plainly_a_request_for_a_tool_calls_none(text):
    assert match_tool(text, TOOLS) is None


def test_of_two_tools_that_fit_alike_none_is_called():
    twins = [
        {"name": "lamp_left", "description": "Turn on a lamp."},
        {"name": "lamp_right", "description": "Turn on a lamp."},
    ]
    assert match_tool("turn on the lamp", twins) is None
    assert match_tool("turn on the left lamp", twins) == ToolRequest("lamp_left")


def test_without_tools_there_is_nothing_to_call():
    assert match_tool("What time is it?", []) is None


@pytest.mark.parametrize("text", ["When do you open?", "when are you open", "opening hours please"])
def test_a_verb_that_is_all_that_is_said_names_the_tool(text):
    hours = {"name": "open_hours", "description": "Tell the opening hours of the workshop."}
    assert match_tool(text, [hours]) == ToolRequest("open_hours")
