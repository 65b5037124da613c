"""Only words that name something become an argument, and only a request calls a tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from vision_agent.local.engine.answers.tool_matching import complete, is_denied, plan_tool
from vision_agent.local.engine.answers.tool_schema import read_tool
from vision_agent.local.engine.answers.tool_values import as_written


def tool(called: str, does: str, /, **kinds: str) -> dict[str, Any]:
    properties = {name: {"type": kind} for name, kind in kinds.items()}
    schema = {"type": "object", "properties": properties, "required": list(kinds)}
    return {"name": called, "description": does, "parameters": schema}


NAME = tool("remember_name", "Remember the caller's name.", name="string")
WEATHER = tool("get_weather", "Get the weather of a city.", city="string")
ADD = tool("add_item", "Add to the shopping list.", item="string", quantity="integer")
NOTE = tool("take_note", "Note something down.", text="string")
STOCK = tool("check_stock", 'Check the stock of a part, for example "M4 screw".', name="string")
ORDER = tool("order_status", "Tell the status of an order.", number="string")


def asked(words: str, declared: dict[str, Any]) -> Any:
    plan = plan_tool(words, [declared])
    assert plan is not None, words
    return plan


@pytest.mark.parametrize(
    "answer",
    ["I hate shopping lists", "this is boring", "it rains", "that was fun", "like", "today"],
)
def test_a_sentence_of_its_own_is_no_value(answer: str) -> None:
    assert complete(asked("remember my name", NAME), answer) is None


@pytest.mark.parametrize("answer", ["Anna", "anna maria", "My name is Anna", "Anna please"])
def test_what_names_something_is_a_value(answer: str) -> None:
    plan = complete(asked("remember my name", NAME), answer)
    assert plan is not None
    assert str(plan.values["name"]).lower().startswith("anna")


def test_a_note_takes_any_sentence() -> None:
    plan = complete(asked("take a note", NOTE), "I hate shopping lists")
    assert plan is not None
    assert plan.values == {"text": "I hate shopping lists"}


@pytest.mark.parametrize(
    ("words", "declared"),
    [
        *(("what's my name?", NAME), ("did you remember my name?", NAME)),
        *(("where do I add an item?", ADD), ("who added three apples?", ADD)),
    ],
)
def test_a_question_calls_nothing_that_changes_what_is_kept(
    words: str, declared: dict[str, Any]
) -> None:
    assert plan_tool(words, [declared]) is None


@pytest.mark.parametrize(
    ("words", "declared"),
    [
        *(("what is the status of my order", ORDER), ("can you add three apples?", ADD)),
        *(("could you remember my name", NAME), ("what is the weather in Paris", WEATHER)),
    ],
)
def test_a_question_that_asks_for_something_calls_it(words: str, declared: dict[str, Any]) -> None:
    assert plan_tool(words, [declared]) is not None


@pytest.mark.parametrize(
    ("words", "declared"),
    [
        *(("don't remember my name", NAME), ("please do not add three apples", ADD)),
        *(("never remember my name", NAME), ("I don't want you to remember my name", NAME)),
    ],
)
def test_what_is_not_to_be_done_is_not_done(words: str, declared: dict[str, Any]) -> None:
    assert plan_tool(words, [declared]) is None
    assert is_denied(words, [declared])


@pytest.mark.parametrize(
    "words",
    [
        *("what is the weather like", "how is the weather today"),
        *("what do you think of the weather", "what is the weather like today"),
    ],
)
def test_function_words_name_no_city(words: str) -> None:
    plan = asked(words, WEATHER)
    assert plan.question == "I can do that. Which city?"
    completed = complete(plan, "in Berlin")
    assert completed is not None
    assert completed.values == {"city": "Berlin"}


@pytest.mark.parametrize(
    ("words", "declared", "values"),
    [
        ("What's the weather like in New York today?", WEATHER, {"city": "New York"}),
        ("Check the stock of M4 screws", STOCK, {"name": "M4 screws"}),
        ("Remember that my name is Anna-Maria", NAME, {"name": "Anna-Maria"}),
        ("add two bottles of Milk", ADD, {"item": "bottles of Milk", "quantity": 2}),
        ("Note that Bob's train leaves at 9.", NOTE, None),
    ],
)
def test_values_are_as_they_were_written(
    words: str, declared: dict[str, Any], values: dict[str, Any] | None
) -> None:
    plan = asked(words, declared)
    if values is not None:
        assert plan.values == values
    else:
        assert str(plan.values["text"]).startswith("Bob's train")


@pytest.mark.parametrize(
    "words", ["add two bottles of milk and a loaf of bread", "add salt and 3 peppers"]
)
def test_of_two_amounts_neither_is_lost(words: str) -> None:
    plan = asked(words, ADD)
    assert plan.question == "One at a time, please. What comes first?"
    completed = complete(plan, "two bottles of milk")
    assert completed is not None
    assert completed.values == {"item": "bottles of milk", "quantity": 2}
    assert not completed.missing


@pytest.mark.parametrize(
    ("value", "said", "written"),
    [
        ("call bob", "Remind me to call Bob!", "call Bob"),
        (["milk", "bread"], "add Milk and bread", ["Milk", "bread"]),
        ("it is late", "note that it's late", "it's late"),
        ("i do not like milk", "note that I don't like Milk.", "I don't like Milk"),
        ("art", "The start of Art", "Art"),
    ],
)
def test_a_value_gets_its_capitals_back(value: Any, said: str, written: Any) -> None:
    assert as_written(value, said) == written


@pytest.mark.parametrize(
    ("bounds", "level", "refusal"),
    [
        ({"minimum": 0, "maximum": 10}, 11, "The level can be at most 10."),
        ({"minimum": "1"}, 0, "The level can be at least 1."),
        ({"maximum": 10}, 10, ""),
        ({}, 99, ""),
    ],
)
def test_a_number_beyond_a_declared_bound_is_refused(
    bounds: dict[str, Any], level: int, refusal: str
) -> None:
    declared = tool("set_volume", "Set the volume.", level="integer")
    declared["parameters"]["properties"]["level"] |= bounds
    assert asked(f"set the volume to {level}", declared).refusal == refusal


def test_the_examples_of_a_description_are_no_words_of_the_tool() -> None:
    words: Sequence[str] = read_tool(STOCK).purpose.split()
    assert "part," in words
    assert not {"M4", "screw"} & set(" ".join(words).replace('"', " ").split())
