"""Tools in a conversation: a missing argument is asked for, and the answer completes the call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.local.engine.answers.asking import MUG, RED_BAR, ask, frame, shown
from tests.local.engine.answers.declarations import HAND_OVER, TOLD, TOOLS
from tests.local.engine.sight.sight_frames import (
    shot,
    written,
)
from tests.local.engine.sight.sight_scenes import (
    held_up,
    wall,
)
from vision_agent.local.contract import Dialogue, Say, ToolRequest, Transcript, Turn
from vision_agent.local.engine.answers.responder import Responder

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_points_at_what_it_sees_and_at_nothing_else(responder: Responder) -> None:
    scene = frame(shot(held_up(RED_BAR[0], wall(), mask=RED_BAR[1], at=(480, 240))))
    call = await ask(responder, "point at the red thing", scene, tools=TOOLS)
    assert isinstance(call, ToolRequest)
    assert call.name == "point_at"
    top, left, bottom, right = call.args["box_2d"]
    assert abs((left + right) / 2 - 750) < 30
    assert abs((top + bottom) / 2 - 500) < 30
    assert bottom - top > 2 * (right - left)
    absent = await ask(responder, "point at the green thing", scene, tools=TOOLS)
    assert absent == "I don't see something green."
    without = await ask(responder, "point at the red thing", scene)
    assert without == "I see something red on the right."


async def test_a_missing_argument_is_asked_for_and_the_answer_makes_the_call(
    responder: Responder,
) -> None:
    dialogue = Dialogue()
    question = await ask(responder, "remind me to stand up", tools=TOOLS, dialogue=dialogue)
    assert question == "I can do that. When? Say for example: in ten minutes."
    call = await ask(responder, "in ten minutes", tools=TOOLS, dialogue=dialogue)
    assert call == ToolRequest("remind_me", {"text": "stand up", "seconds": 600})
    none = await ask(responder, "remind me in ten minutes to stand up")
    assert none == "I can't remind you: this agent has no tool for it."


REMIND = "remind me to stand up"


@pytest.mark.parametrize(
    ("first", "then", "answer"),
    [
        (REMIND, "what do you see", "I can't see anything"),
        (REMIND, "what colour is the bus", "I can't see anything"),
        (REMIND, "Who is that?", "I can't see anything"),
        (REMIND, "never mind", "All right, I leave it."),
        (REMIND, "no thanks", "All right, I leave it."),
        (REMIND, "remind me in two minutes to stretch", {"seconds": 120, "text": "stretch"}),
        (REMIND, "five o'clock", {"seconds": 9600, "text": "stand up"}),
        (REMIND, "at half past four", {"seconds": 7800, "text": "stand up"}),
        ("remind me in five minutes", "to drink water", {"seconds": 300, "text": "drink water"}),
        ("remind me in five minutes", "what is this", "I can't see anything"),
        ("watch", "Who is that?", "I can't see anything"),
        ("watch", "the door", {"what": "door"}),
    ],
)
async def test_only_an_answer_completes_a_request_and_a_new_request_drops_it(
    responder: Responder, first: str, then: str, answer: str | dict[str, Any]
) -> None:
    dialogue, clock = Dialogue(), datetime(2026, 11, 25, 14, 20)
    asked = await ask(responder, first, tools=TOOLS, dialogue=dialogue, clock=clock)
    assert str(asked).startswith("I can do that. ")
    got = await ask(responder, then, tools=TOOLS, dialogue=dialogue, clock=clock)
    if isinstance(answer, str):
        assert str(got).startswith(answer)
    else:
        assert isinstance(got, ToolRequest)
        assert got.args == answer
    assert dialogue.pending is None


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Remind me to call Bob at five o'clock", 9600),
        ("Remind me to call Bob at 5 pm", 9600),
        ("at 5 p.m. remind me to call Bob", 9600),
        ("Remind me at half past five to call Bob", 11_400),
        ("remind me to call Bob this evening", 13_200),
        ("remind me to call Bob in ten minutes", 600),
    ],
)
async def test_a_reminder_at_a_time_of_day_comes_then(
    responder: Responder, words: str, seconds: int
) -> None:
    hour = 15 if "evening" in words else 14
    call = await ask(responder, words, tools=TOOLS, clock=datetime(2026, 11, 25, hour, 20))
    assert call == ToolRequest("remind_me", {"text": "call Bob", "seconds": seconds})
    # Without a clock, the agent asks when; it does not take "five" for five seconds.
    if "minutes" not in words:
        assert str(await ask(responder, words, tools=TOOLS)).startswith("I can do that. When?")


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("remind me at half past six to call Bob", datetime(2026, 11, 26, 0, 33)),
        ("remind me at half past six", datetime(2026, 11, 26, 0, 33)),
        ("remind me to call Bob tomorrow morning", datetime(2026, 11, 25, 14, 20)),
        ("remind me to call Bob in nine hours", None),
        ("set a timer for five hours", None),
    ],
)
async def test_a_reminder_beyond_the_declared_bound_is_refused_before_anything_is_asked(
    responder: Responder, words: str, at: datetime | None
) -> None:
    dialogue = Dialogue()
    said = await ask(responder, words, tools=TOOLS, clock=at, dialogue=dialogue)
    assert said == "I can remind you at most four hours ahead."
    assert dialogue.pending is None


async def test_a_time_that_answers_what_to_be_reminded_of_is_when(responder: Responder) -> None:
    dialogue, clock = Dialogue(), datetime(2026, 11, 26, 3, 0)
    for words in ("remind me at half past six", "in ten minutes"):
        asked = await ask(responder, words, tools=TOOLS, clock=clock, dialogue=dialogue)
        assert asked == "I can do that. What should I remind you of?"
    call = await ask(responder, "I have to call Bob", tools=TOOLS, clock=clock, dialogue=dialogue)
    assert call == ToolRequest("remind_me", {"seconds": 600, "text": "I have to call Bob"})


@pytest.mark.parametrize(
    "words",
    [
        *("What does it say on the bus?", "What is the number on the license plate?"),
        *("What number is in the middle?", "What are you watching?", "What is on my desk?"),
        *("When does this expire?", "What colour is the label?", "My reminder was late."),
    ],
)
async def test_a_question_about_the_frame_starts_no_watch_and_calls_no_tool(
    responder: Responder, words: str
) -> None:
    assert isinstance(await ask(responder, words, shown(MUG), tools=TOOLS), str)


async def test_a_question_about_a_detail_is_answered_from_the_closer_look(
    responder: Responder,
) -> None:
    result = {
        "id": "1",
        "name": "look_closely",
        "response": {"status": "The newest picture of yours shows the price closely."},
    }
    total = frame(written(["TOTAL 3.50"], 40))
    answer = await ask(responder, "look closely at the total", total, tool_results=[result])
    assert "3.50" in str(answer)


async def test_a_question_for_another_agent_is_handed_over(responder: Responder) -> None:
    call = await ask(responder, "what time is it", tools=HAND_OVER, instruction=TOLD)
    assert call == ToolRequest("transfer_to_agent", {"agent_name": "clock"})
    seen = await ask(responder, "what do you see", shown(MUG), tools=HAND_OVER, instruction=TOLD)
    assert isinstance(seen, str)


async def test_what_a_tool_says_is_said_to_the_caller(responder: Responder) -> None:
    result = {"id": "1", "name": "point_at", "response": {"status": "The caller sees a box."}}
    assert await ask(responder, "point at it", tool_results=[result]) == "You see a box."
    nothing = {"id": "2", "name": "cancel_reminders", "response": {"cancelled": []}}
    assert await ask(responder, "cancel it", tool_results=[nothing]) == "Nothing was cancelled."


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("set a timer for five minutes", {"seconds": 300, "text": "the timer"}),
        ("set an alarm for 6:10 pm", {"seconds": 13_800, "text": "the alarm"}),
        ("wake me up in an hour", {"seconds": 3600, "text": "wake up"}),
    ],
)
async def test_a_timer_needs_no_words_of_its_own(
    responder: Responder, words: str, values: dict[str, Any]
) -> None:
    call = await ask(responder, words, tools=TOOLS, clock=datetime(2026, 11, 25, 14, 20))
    assert call == ToolRequest("remind_me", values)


TIMER = {
    "name": "set_timer",
    "description": "Set a timer.",
    "parameters": {
        "type": "object",
        "properties": {"minutes": {"type": "integer"}},
        "required": ["minutes"],
    },
}


async def test_a_question_that_is_interrupted_is_still_open(responder: Responder) -> None:
    dialogue = Dialogue()
    turn = Turn(Transcript("Set a timer", spoken=False), tools=[TIMER], dialogue=dialogue)
    answer = responder.answer(turn)
    assert isinstance(await anext(answer), Say)
    await answer.aclose()
    call = await ask(responder, "five", spoken=False, tools=[TIMER], dialogue=dialogue)
    assert call == ToolRequest("set_timer", {"minutes": 5})


def told_of(name: str, description: str, **properties: Any) -> dict[str, Any]:
    required = [parameter for parameter in properties if parameter != "quantity"]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": description, "parameters": schema}


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
SHOP = [
    told_of(
        "add_to_shopping_list", "Add an item to the shopping list.", item=TEXT, quantity=NUMBER
    ),
    told_of("get_stock", "Tell how many of an item are in the pantry.", item=TEXT),
    told_of("reset_counter", "Reset the counter."),
    told_of("refund_order", "Refund an order.", order_id=TEXT),
    told_of("order_status", "Tell the status of an order.", order_id=TEXT),
    told_of("ship_parcel", "Ship a parcel.", address={"type": "object", "properties": {}}),
]


@pytest.mark.parametrize(
    ("words", "name", "values"),
    [
        (
            "add three apples to the shopping list",
            "add_to_shopping_list",
            {"item": "apples", "quantity": 3},
        ),
        ("put milk on my shopping list", "add_to_shopping_list", {"item": "milk"}),
        ("please add a bottle of red wine to the list", "add_to_shopping_list", None),
        ("how many eggs are in the pantry?", "get_stock", {"item": "eggs"}),
        ("Do we have flour in the pantry?", "get_stock", {"item": "flour"}),
        ("get stock of milk", "get_stock", {"item": "milk"}),
        ("reset the counter", "reset_counter", {}),
        ("what is the status of order number 77", "order_status", {"order_id": "77"}),
        ("refund order seventy seven", "refund_order", {"order_id": "77"}),
        (
            "I want a refund for order 1234 because it is broken",
            "refund_order",
            {"order_id": "1234"},
        ),
    ],
)
async def test_an_agents_own_tools_are_asked_for_in_ordinary_words(
    responder: Responder, words: str, name: str, values: dict[str, Any] | None
) -> None:
    call = await ask(responder, words, tools=SHOP, spoken=False)
    assert isinstance(call, ToolRequest)
    assert call.name == name
    if values is None:
        assert "wine" in call.args["item"]
        assert "list" not in call.args["item"]
    else:
        assert call.args == values


async def test_an_argument_of_several_parts_is_not_asked_for(responder: Responder) -> None:
    dialogue = Dialogue()
    answer = await ask(responder, "ship a parcel", tools=SHOP, dialogue=dialogue, spoken=False)
    assert answer == "I can't do that one by myself. It needs the address, which has several parts."
    assert dialogue.pending is None


@pytest.mark.parametrize(
    "words", ["I have a meeting tomorrow", "I like shopping", "The list is long", "My milk is gone"]
)
async def test_a_sentence_that_asks_for_nothing_calls_no_tool(
    responder: Responder, words: str
) -> None:
    assert isinstance(await ask(responder, words, tools=SHOP, spoken=False), str)
