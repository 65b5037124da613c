"""What a user meets: teaching, asking again, counting, finding, pointing; silence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.local.engine.answers.test_tool_arguments import HAND_OVER, TOLD, TOOLS
from tests.local.engine.sight.sight_frames import (
    Pixels,
    jpeg,
    shot,
    with_faces,
    with_qr_code,
    written,
)
from tests.local.engine.sight.sight_scenes import (
    coloured_shape,
    film,
    held_up,
    moved,
    textured,
    wall,
)
from vision_agent.local.contract import (
    Dialogue,
    Say,
    SeenFrame,
    ToolRequest,
    Transcript,
    Turn,
)
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.answers.taught_objects import TaughtObjects
from vision_agent.local.engine.answers.taught_store import TaughtStore
from vision_agent.local.engine.sight import Sight

pytestmark = pytest.mark.asyncio(loop_scope="module")

MUG = textured(1)
RED_BAR = coloured_shape("bar", (200, 30, 30))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sight() -> AsyncIterator[Sight]:
    sight = Sight()
    yield sight
    await sight.close()


@pytest.fixture
def responder(sight: Sight, tmp_path: Path) -> Responder:
    return Responder(sight, TaughtObjects(sight, TaughtStore(tmp_path)))


def frame(picture: Pixels, at_ms: int = 0) -> SeenFrame:
    return SeenFrame(jpeg(picture), at_ms)


def shown(thing: Pixels, **how: Any) -> SeenFrame:
    return frame(shot(held_up(thing, wall(2), **how)))


async def ask(
    responder: Responder,
    text: str,
    *frames: SeenFrame,
    user: str = "",
    tools: Sequence[Mapping[str, Any]] = (),
    understood: bool = True,
    spoken: bool = False,
    **turn: Any,
) -> str | ToolRequest:
    transcript = Transcript(text, understood, spoken)
    asked = Turn(transcript, frames=frames, user=user, tools=tools, **turn)
    parts = [part async for part in responder.answer(asked)]
    calls = [part for part in parts if isinstance(part, ToolRequest)]
    said = " ".join(part.text for part in parts if isinstance(part, Say))
    assert not (calls and said)
    return calls[0] if calls else said


async def test_what_is_taught_is_known_in_the_next_call_and_by_its_user_only(
    sight: Sight, responder: Responder, tmp_path: Path
) -> None:
    unknown = await ask(responder, "What is this?", shown(MUG), user="ann")
    assert isinstance(unknown, str)
    assert "I don't know this one. Tell me what it is" in unknown
    assert await ask(responder, "This is my mug.", shown(MUG), user="ann") == (
        "I'll remember: this is your mug."
    )

    later = Responder(sight, TaughtObjects(sight, TaughtStore(tmp_path)))
    again = shown(MUG, turn_deg=25.0, scale=0.8, at=(480, 240))
    assert await ask(later, "What is this?", again, user="ann") == (
        "That is your mug, on the right."
    )
    seen = await ask(later, "What do you see?", again, user="ann")
    assert isinstance(seen, str)
    assert "your mug" in seen
    assert await ask(later, "where is my mug", again, user="ann") == "I see your mug on the right."
    yes = await ask(later, "is this my mug", again, user="ann")
    assert isinstance(yes, str)
    assert yes.startswith("Yes")
    assert await ask(later, "is this my mug", shown(textured(9)), user="ann") == (
        "I don't see your mug."
    )
    stranger = await ask(later, "What is this?", again, user="bob")
    assert isinstance(stranger, str)
    assert "I don't know this one" in stranger


async def test_it_tells_what_it_knows_and_forgets_what_it_is_told_to(responder: Responder) -> None:
    nothing = await ask(responder, "what do you know")
    assert isinstance(nothing, str)
    assert "haven't taught me anything" in nothing
    await ask(responder, "this is my mug", shown(MUG))
    await ask(responder, "this is called Bob", shown(textured(5)))
    assert await ask(responder, "what do you know?") == "I know your mug and Bob."
    assert await ask(responder, "forget my mug") == "I have forgotten your mug."
    assert await ask(responder, "forget my mug") == "I don't know any mug."
    assert await ask(responder, "forget this", shown(textured(5))) == "I have forgotten Bob."


async def test_it_does_not_learn_what_it_can_not_see(responder: Responder) -> None:
    for picture, reason in ((wall(1) // 40, "too dark"), (wall(1), "can't make out")):
        said = await ask(responder, "this is my mug", frame(shot(picture, noise=1)))
        assert isinstance(said, str)
        assert reason in said
    old = await ask(responder, "this is my mug", shown(MUG), now_ms=60_000)
    assert old == "Your camera is off; the last picture is 60 seconds old."
    assert isinstance(await ask(responder, "this is my mug"), str)
    said = await ask(responder, "what do you know")
    assert isinstance(said, str)
    assert "haven't taught" in said


async def test_a_file_that_can_not_be_read_is_told_of(sight: Sight, tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    store.path("").write_bytes(b"scribble")
    said = await ask(Responder(sight, TaughtObjects(sight, store)), "what do you know")
    assert isinstance(said, str)
    assert "could not read what you taught me" in said
    assert "shared.unreadable-1" in said


async def test_bottles_are_counted_on_the_film(responder: Responder) -> None:
    for second, words in ((2.0, "three light blue things"), (9.0, "two light blue things")):
        said = await ask(responder, "How many bottles do you see?", frame(film([second])[0]))
        assert isinstance(said, str)
        assert words in said
        assert "bottles I can't tell" in said
    one = await ask(responder, "how many things are there", frame(film([20.0])[0]))
    assert one == "I count one light blue thing."
    seen = await ask(responder, "What do you see?", frame(film([2.0])[0]))
    assert isinstance(seen, str)
    # Colours are quick to see; what is counted follows.
    assert seen.startswith("I see light blue things in the middle and on the right")
    assert "There are three light blue things that look alike." in seen


async def test_movement_is_told_with_its_way(responder: Responder) -> None:
    said = await ask(responder, "is anything moving?", *moved((120, 0), 1))
    assert isinstance(said, str)
    assert "moving to the right" in said
    still = frame(shot(held_up(MUG, wall())))
    again = SeenFrame(still.jpeg, 1000)
    assert await ask(responder, "is anything moving", still, again) == "Nothing moves."
    once = await ask(responder, "is anything moving", still)
    assert isinstance(once, str)
    assert "second picture" in once


@pytest.mark.parametrize(
    ("target", "picture", "answer"),
    [
        (
            "the red thing",
            held_up(RED_BAR[0], wall(), mask=RED_BAR[1], at=(540, 380), scale=0.6),
            "I see something red at the bottom, on the right.",
        ),
        ("the QR code", with_qr_code("hello", 200, at=(140, 130)), "at the top, on the left."),
        ("the face", with_faces(320), "I see a face in the middle."),
        ("the text", written(["HELLO THERE"], 40), "I see the text at the top"),
        ("the green thing", wall(), "I don't see something green."),
        ("my unicorn", wall(), "I don't know what a unicorn looks like."),
    ],
)
async def test_where_something_is(
    responder: Responder, target: str, picture: Pixels, answer: str
) -> None:
    said = await ask(responder, f"Where is {target}?", frame(shot(picture)))
    assert isinstance(said, str)
    assert answer in said


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
    # Where nobody knows the time it is asked for, never taken for five seconds.
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
async def test_a_question_about_the_picture_starts_no_watch_and_calls_no_tool(
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
    picture = frame(written(["TOTAL 3.50"], 40))
    answer = await ask(responder, "look closely at the total", picture, tool_results=[result])
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


async def test_proactive_it_is_silent_on_what_is_not_meant_for_it(responder: Responder) -> None:
    for text in ("and then she went home again", "my sister lives in rome"):
        overheard: dict[str, Any] = {"spoken": True, "understood": False}
        assert await ask(responder, text, proactive=True, **overheard) == ""
        asked_again = await ask(responder, text, **overheard)
        assert isinstance(asked_again, str)
        assert "didn't catch" in asked_again
    question = await ask(
        responder, "what colour is at this", proactive=True, spoken=True, understood=False
    )
    assert isinstance(question, str)
    assert "didn't catch" in question


async def test_to_forget_everything_needs_no_picture_and_speaks_of_none(
    responder: Responder,
) -> None:
    await ask(responder, "this is my mug", shown(MUG))
    old = replace(shown(MUG), at_ms=-60_000)
    assert await ask(responder, "forget everything", old) == "I have forgotten your mug."


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


RECEIPT = ("CORNER SHOP", "Milk 1.20", "Bread 2.30", "Subtotal 3.50", "TOTAL 3.85")
PACKAGE = ("ASPIRIN 500 mg", "20 tablets", "EXP 03/2027", "LOT 4711")


@pytest.mark.parametrize(
    ("words", "lines", "answer"),
    [
        ("What is the total on this receipt?", RECEIPT, "It says: TOTAL 3.85."),
        ("How much do I have to pay?", RECEIPT, "It says: TOTAL 3.85."),
        ("How much was the milk?", RECEIPT, "It says: Milk 1.20."),
        ("When does this expire?", PACKAGE, "It says: EXP 03/2027."),
        ("Is this still good?", PACKAGE, "It says: EXP 03/2027."),
        ("When does this expire?", RECEIPT, "I don't find a date of expiry in it. It says: CORNER"),
        ("What is the lot number?", PACKAGE, "It says: ASPIRIN"),
        ("What's on this box?", PACKAGE, "It says: ASPIRIN"),
        ("scan this", PACKAGE, "It says: ASPIRIN"),
    ],
)
async def test_the_line_of_a_print_that_was_asked_for_is_told(
    responder: Responder, words: str, lines: Sequence[str], answer: str
) -> None:
    said = await ask(responder, words, frame(written(lines, 28)))
    assert str(said).startswith(answer)


@pytest.mark.parametrize(
    "words", ["how much is 12 times 7?", "5 plus 1", "what is 12 * 7", "how much is ten minus two"]
)
async def test_a_sum_is_no_question_about_print(responder: Responder, words: str) -> None:
    assert str(await ask(responder, words)).startswith("I can't do sums.")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("stop watching", "I'm not watching for anything: this agent has no tool for it."),
        ("can you speak German?", "I understand and speak English only."),
        ("compare these two", "I can't compare things."),
        ("what did I ask before?", "You said: what is this"),
        ("is there a dog?", "I can't tell a dog from anything else"),
        ("can you see a cat", "I can't tell a cat from anything else"),
    ],
)
async def test_what_it_can_not_do_is_said_in_words_of_its_own(
    responder: Responder, words: str, answer: str
) -> None:
    told = await ask(responder, words, history=[("user", "what is this"), ("model", "A mug.")])
    assert str(told).startswith(answer)


async def test_a_taught_thing_that_is_asked_for_is_looked_for(responder: Responder) -> None:
    await ask(responder, "this is my mug", shown(MUG))
    assert str(await ask(responder, "is there a mug?", shown(MUG))).startswith(
        "Yes, that is your mug"
    )


async def test_either_is_said_only_after_another_refusal(responder: Responder) -> None:
    dialogue = Dialogue()
    for words, either in (
        ("who is the president", False),
        ("hello", False),
        ("why is the sky blue", False),
    ):
        said = str(await ask(responder, words, dialogue=dialogue))
        assert ("either" in said) == either
    dialogue = Dialogue()
    await ask(responder, "who is the president", dialogue=dialogue)
    assert "either" in str(await ask(responder, "why is the sky blue", dialogue=dialogue))


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("what is on the right?", "I see something red on the right."),
        ("what do you see on the left side", "on the left."),
        ("what's in the middle", "in the middle."),
        ("and on the right", "I see something red on the right."),
    ],
)
async def test_one_side_of_the_picture_is_told_alone(
    responder: Responder, words: str, answer: str
) -> None:
    scene = frame(shot(held_up(RED_BAR[0], wall(), mask=RED_BAR[1], at=(480, 240))))
    assert str(await ask(responder, words, scene)).endswith(answer)
