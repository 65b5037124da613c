"""Questions about frames: counting, movement, places and print, and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.local.engine.answers.asking import MUG, RED_BAR, ask, frame
from tests.local.engine.sight.sight_frames import (
    Pixels,
    film,
    shot,
    with_faces,
    with_qr_code,
    written,
)
from tests.local.engine.sight.sight_scenes import (
    held_up,
    moved,
    wall,
)
from vision_agent.local.contract import (
    Dialogue,
    SeenFrame,
)
from vision_agent.local.engine.answers.responder import Responder

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("second", "question", "answer"),
    [
        (2.0, "How many bottles do you see?", "Three bottles."),
        (9.0, "how many bottles are there", "Two bottles."),
        (20.0, "how many things are there", "One bottle."),
        (2.0, "How many red bottles are there?", "None that I can see: I see three bottles."),
        (
            2.0,
            "How many cats do you see?",
            "I can't find a cat; a small or hidden one I would miss.",
        ),
        (2.0, "How many spoons are there?", "I can't count spoons. I count three light blue"),
        (2.0, "How many dragons are there?", "I can't recognise dragons. I count three light blue"),
        (2.0, "What do you see?", "I see three bottles"),
        (2.0, "What is this?", "It looks like a light blue bottle."),
        (2.0, "Is this a bottle?", "Yes, it looks like a bottle."),
        (2.0, "Is this a banana?", "I don't think so: it looks like a bottle."),
        (2.0, "Is there a dog?", "No, I don't see a dog."),
        (2.0, "Can you see a bottle?", "Yes, three bottles on the left, in the middle and on"),
        (2.0, "How many people do you see?", "I don't see anyone."),
        (20.0, "Where is the bottle?", "I see a bottle on the right."),
        (20.0, "Where is my bottle?", "I see a bottle on the right. Whether it is yours I can't"),
        (20.0, "What colour is the bottle?", "The bottle is light blue."),
        (20.0, "Is the bottle red?", "No. The bottle is light blue."),
        (20.0, "What is this?", "I see a bottle on the right."),
        (20.0, "What is on the right?", "I see a bottle on the right."),
    ],
)
async def test_bottles_on_the_film_are_named_counted_and_placed(
    responder: Responder, second: float, question: str, answer: str
) -> None:
    assert str(await ask(responder, question, frame(film([second])[0]))).startswith(answer)


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
    ("target", "pixels", "answer"),
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
        ("the unicorn", wall(), "I can't recognise a unicorn. Show it to me"),
        ("its nose", wall(), "I can't recognise its nose. Show it to me"),
    ],
)
async def test_where_something_is(
    responder: Responder, target: str, pixels: Pixels, answer: str
) -> None:
    said = await ask(responder, f"Where is {target}?", frame(shot(pixels)))
    assert isinstance(said, str)
    assert answer in said


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
    assert "beyond me" in question


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
    ],
)
async def test_what_it_can_not_do_is_said_in_words_of_its_own(
    responder: Responder, words: str, answer: str
) -> None:
    told = await ask(responder, words, history=[("user", "what is this"), ("model", "A mug.")])
    assert str(told).startswith(answer)


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
async def test_one_side_of_the_frame_is_told_alone(
    responder: Responder, words: str, answer: str
) -> None:
    scene = frame(shot(held_up(RED_BAR[0], wall(), mask=RED_BAR[1], at=(480, 240))))
    assert answer in str(await ask(responder, words, scene))


@pytest.mark.parametrize(
    "question", ["Can I park here?", "What is in this box?", "Who wrote this?"]
)
async def test_what_print_would_tell_is_read_and_never_guessed(
    responder: Responder, question: str
) -> None:
    sign = frame(shot(written(["NO PARKING", "AT ANY TIME"], 30)))
    assert "It says: NO PARKING" in str(await ask(responder, question, sign))
    blank = await ask(responder, question, frame(wall(2)))
    assert blank == "I can't tell: I see no print that says so. Hold the print closer, and still."


async def test_the_colour_of_a_background_is_told_and_what_nobody_can_see_is_refused(
    responder: Responder,
) -> None:
    red = frame(shot(held_up(RED_BAR[0], wall(2), mask=RED_BAR[1])))
    wall_ = str(await ask(responder, "What colour is the wall?", red))
    assert wall_.startswith("The background is ")
    assert "a wall I can't tell" in wall_
    ground = str(await ask(responder, "What colour is the background?", red))
    assert wall_.startswith(ground)
    assert ground.count(".") == 1
    food = await ask(responder, "Is there anything to eat?", red)
    assert food == "I know things by their names only. Ask me, for example: is there a cup?"
    breed = await ask(responder, "What breed is this dog?", red)
    assert str(breed).endswith("I can't tell.")
    assert await ask(responder, "What is the man holding?", red) == "I don't see anyone."
