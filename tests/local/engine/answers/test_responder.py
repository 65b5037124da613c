import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import cv2
import numpy as np
import pytest

from vision_agent.local.contract import (
    Dialogue,
    Request,
    Say,
    SeenFrame,
    ToolRequest,
    Transcript,
    Turn,
)
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.language.intents import INTENTS
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.engine.sight import Sight

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED, BLUE, GREEN = (30, 30, 200), (200, 60, 20), (40, 160, 40)

TIMER = {
    "name": "set_timer",
    "description": "Set a timer.",
    "parameters": {
        "type": "object",
        "properties": {"minutes": {"type": "integer"}},
        "required": ["minutes"],
    },
}


@pytest.fixture
def responder(sight: Sight, understanding: Understanding) -> Responder:
    return Responder(sight, understanding=understanding)


def frame(pixels: Any, at_ms: int = 0) -> SeenFrame:
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    return SeenFrame(jpeg.tobytes(), at_ms)


def wall() -> Any:
    pixels = np.full((480, 640, 3), 190, np.uint8)
    hiss = np.random.default_rng(3).integers(-6, 7, pixels.shape)
    return np.clip(pixels + hiss, 0, 255).astype(np.uint8)


def card(bgr: tuple[int, int, int], at_ms: int = 0) -> SeenFrame:
    pixels = wall()
    pixels[90:390, 170:470] = bgr
    return frame(pixels, at_ms)


def qr_code(text: str) -> SeenFrame:
    code = cv2.QRCodeEncoder.create().encode(text)
    pixels = wall()
    big = cv2.resize(code, (280, 280), interpolation=cv2.INTER_NEAREST)
    pixels[90:390, 170:470] = 255
    pixels[100:380, 180:460] = cv2.cvtColor(big, cv2.COLOR_GRAY2BGR)
    return frame(pixels)


async def ask(
    responder: Responder,
    text: str,
    frames: Sequence[SeenFrame] = (),
    *,
    understood: bool = True,
    spoken: bool = True,
    history: Sequence[tuple[str, str]] = (),
    tools: Sequence[Mapping[str, Any]] = (),
    tool_results: Sequence[Mapping[str, Any]] = (),
    now_ms: int = 0,
    dialogue: Dialogue | None = None,
    clock: datetime | None = None,
) -> str | ToolRequest:
    """The whole answer in one string, or the tool that is wanted."""
    turn = Turn(
        Transcript(text, understood, spoken),
        frames=frames,
        history=history,
        tools=tools,
        tool_results=tool_results,
        now_ms=now_ms,
        dialogue=dialogue or Dialogue(),
        clock=clock,
    )
    parts = [part async for part in responder.answer(turn)]
    said = " ".join(part.text for part in parts if isinstance(part, Say))
    calls = [part for part in parts if isinstance(part, ToolRequest)]
    assert not (said and calls)
    return calls[0] if calls else said


async def test_every_intent_of_the_table_has_an_answer(responder: Responder) -> None:
    spoken_forms = {
        "see": "what do you see",
        "colour": "what colour is this",
        "is_colour": "is this red",
        "read": "read the text",
        "code": "is there a qr code",
        "changed": "what changed",
        "people": "how many people do you see",
        "light": "is it too dark",
        "hello": "hello",
        "how_are_you": "how are you",
        "stop": "stop",
        "thanks": "thank you",
        "bye": "goodbye",
        "help": "what can you do",
        "hear_me": "can you hear me",
        "see_me": "can you see me",
        "who": "who are you",
        "repeat": "say that again",
        "transfer": "transfer me to the manager",
        "what_is": "what is this",
        "count": "how many bottles do you see",
        "moving": "is anything moving",
        "where": "where is the red thing",
        "is_known": "is this my mug",
        "teach": "this is my mug",
        "forget": "forget my mug",
        "knows": "what do you know",
        "point": "point at the red thing",
        "watch": "tell me when something moves",
        "remind": "remind me in five minutes to drink water",
        "closer": "look closely",
        "beyond": "what time is it",
    }
    assert set(spoken_forms) == {intent.name for intent in INTENTS}
    for text in spoken_forms.values():
        assert await ask(responder, text, [card(RED)])


async def test_it_answers_about_the_newest_frame(responder: Responder) -> None:
    answer = await ask(responder, "what colour is this", [card(RED), card(BLUE, 1000)], now_ms=1200)
    assert isinstance(answer, str)
    assert "blue" in answer
    assert "red" not in answer


async def test_it_confirms_a_colour_only_if_it_is_so(responder: Responder) -> None:
    yes = await ask(responder, "is this green", [card(GREEN)])
    no = await ask(responder, "is this red", [card(GREEN)])
    assert isinstance(yes, str)
    assert isinstance(no, str)
    assert yes.startswith("Yes")
    assert no.startswith("No")
    assert "green" in no


async def test_it_reads_a_code(responder: Responder) -> None:
    answer = await ask(responder, "is there a qr code what does it say", [qr_code("table seven")])
    assert isinstance(answer, str)
    assert answer.startswith("Yes")
    assert "table seven" in answer


async def test_it_says_that_there_is_no_code(responder: Responder) -> None:
    answer = await ask(responder, "is there a qr code", [card(RED)])
    assert isinstance(answer, str)
    assert "don't see" in answer


async def test_it_tells_what_changed_and_where(responder: Responder) -> None:
    pixels = wall()
    pixels[150:350, 20:180] = BLUE
    answer = await ask(
        responder, "what changed", [frame(wall(), 0), frame(pixels, 3000)], now_ms=3000
    )
    assert isinstance(answer, str)
    assert "blue" in answer
    assert "left" in answer


async def test_the_dark_is_named_and_nothing_made_up(responder: Responder) -> None:
    for text in ("what do you see", "what colour is this", "is it too dark"):
        answer = await ask(responder, text, [frame(wall() // 40)])
        assert isinstance(answer, str)
        assert "too dark" in answer
        assert "something" not in answer


async def test_without_a_frame_it_says_so_and_with_an_old_one_how_old_it_is(
    responder: Responder,
) -> None:
    none = await ask(responder, "what colour is this")
    old = await ask(responder, "what colour is this", [card(RED, 1000)], now_ms=31_000)
    assert isinstance(none, str)
    assert isinstance(old, str)
    assert "can't see anything" in none
    assert "30 seconds old" in old


async def test_a_broken_frame_is_said_to_be_broken(responder: Responder) -> None:
    answer = await ask(responder, "what do you see", [SeenFrame(b"\xff\xd8 not a picture", 0)])
    assert isinstance(answer, str)
    assert "broken" in answer


async def test_what_was_not_understood_is_asked_again_with_what_was_heard(
    responder: Responder,
) -> None:
    answer = await ask(responder, "blood calories they sit", [card(RED)], understood=False)
    assert isinstance(answer, str)
    assert "didn't catch" in answer
    assert "blood calories they sit" in answer
    assert "red" not in answer


async def test_a_question_that_was_misheard_is_never_answered(responder: Responder) -> None:
    answer = await ask(responder, "what colour is this", [card(RED)], understood=False)
    assert isinstance(answer, str)
    assert "is red" not in answer


async def test_the_second_time_it_says_how_to_get_open_conversation(responder: Responder) -> None:
    question, dialogue = "tell me about the history of rome", Dialogue()
    said = [await ask(responder, question, spoken=False, dialogue=dialogue) for _ in range(6)]
    assert "Gemini" not in str(said[0])
    assert "Gemini key" in str(said[1])
    assert len(set(said[:4])) == 4
    assert all(before != after for before, after in itertools.pairwise(said))
    assert all(len(str(one).split()) < 25 for one in said)


async def test_noise_is_not_answered(responder: Responder) -> None:
    assert await ask(responder, "", understood=False) == ""


async def test_it_repeats_what_it_said(responder: Responder) -> None:
    history = [("user", "what colour is this"), ("model", "It is red."), ("user", "pardon")]
    assert await ask(responder, "pardon", history=history) == "It is red."


async def test_a_tool_that_is_plainly_asked_for_is_called(responder: Responder) -> None:
    call = await ask(responder, "Set a timer for 5 minutes", spoken=False, tools=[TIMER])
    assert call == ToolRequest("set_timer", {"minutes": 5})


async def test_what_it_knows_to_be_beyond_it_is_left_to_the_agents_tools(
    responder: Responder,
) -> None:
    clock = {"name": "get_time", "description": "Tells the time."}
    assert await ask(responder, "what time is it", tools=[clock]) == ToolRequest("get_time", {})
    answer = await ask(responder, "what time is it", [card(RED)])
    assert isinstance(answer, str)
    assert "beyond me" in answer


async def test_a_tool_is_not_called_without_its_argument(responder: Responder) -> None:
    answer = await ask(responder, "Set a timer", spoken=False, tools=[TIMER])
    assert isinstance(answer, str)


async def test_tools_do_not_get_in_the_way_of_questions(responder: Responder) -> None:
    answer = await ask(responder, "what colour is this", [card(RED)], tools=[TIMER])
    assert isinstance(answer, str)
    assert "red" in answer


async def test_a_tools_result_is_told_and_nothing_added(responder: Responder) -> None:
    results = [{"id": "1", "name": "set_timer", "response": {"result": "5 minutes from now"}}]
    answer = await ask(responder, "Set a timer for 5 minutes", tools=[TIMER], tool_results=results)
    assert answer == "The answer is 5 minutes from now."
    failed = [{"id": "1", "name": "set_timer", "response": {"error": "no clock"}}]
    answer = await ask(responder, "Set a timer for 5 minutes", tools=[TIMER], tool_results=failed)
    assert answer == "That did not work: no clock."


async def test_the_same_turn_gets_the_same_answer(responder: Responder) -> None:
    first = await ask(responder, "what do you see", [card(RED)])
    assert await ask(responder, "what do you see", [card(RED)]) == first


async def test_what_got_lost_is_asked_for_again_and_noise_is_named_as_the_reason(
    responder: Responder,
) -> None:
    async def answer(turn: Turn) -> str:
        return " ".join(
            [part.text async for part in responder.answer(turn) if isinstance(part, Say)]
        )

    assert "Say it again" in await answer(Turn(Transcript("", False, lost=True)))
    assert await answer(Turn(Transcript("", False))) == ""
    assert "too noisy" in await answer(Turn(Transcript("water see", False, snr_db=10.0)))
    assert "too noisy" not in await answer(Turn(Transcript("water see", False, snr_db=35.0)))
    understood = await answer(Turn(Transcript("hello", snr_db=10.0)))
    assert "too noisy" not in understood


@pytest.mark.parametrize(
    ("question", "offer"),
    [
        ("who invented the colour wheel", "colours"),
        ("translate the text", "read printed text"),
        ("how many days are in a year", "count things"),
        ("are the people smiling", "find people"),
    ],
)
async def test_it_never_offers_what_was_just_asked_for(
    responder: Responder, question: str, offer: str
) -> None:
    answer = await ask(responder, question, [card(RED)], spoken=False)
    assert isinstance(answer, str)
    assert answer.startswith("That is beyond me, but I can ")
    assert offer not in answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "What colour is the bus?",
            "The thing in the middle is red, before something white. "
            "Whether it is a bus I can't tell.",
        ),
        ("Which colours do you see?", "I see red and white."),
        ("How many colours are there?", "I see red and white."),
        ("Is there anything red?", "Yes, something red in the middle."),
        ("Are there any green things?", "No, I see nothing green."),
        (
            "Do you see a red bus?",
            "Yes, something red in the middle. Whether it is a bus I can't tell.",
        ),
        (
            "Is the flower red?",
            "The thing in the middle is red. Whether it is a flower I can't tell.",
        ),
        ("How many red ones are there?", "I count one red thing."),
        ("What is on my desk?", "I see something red in the middle, before something white."),
        (
            "What does it say on the bus?",
            "I can't find any text that I can read. Hold it closer, and still.",
        ),
        ("Where does this QR code go?", "I don't see a QR code or a barcode. Hold it closer, and"),
        ("Is anyone moving?", "I need a second picture to tell. Ask me again in a moment."),
        ("Where is the bus?", "I don't see a bus; I would know one only close up."),
        ("Is this a cat?", "I can't tell whether this is a cat."),
        ("Is this a spaceship?", "I can't recognise a spaceship. Show it to me and say, for"),
        ("Is this a cat or a dog?", "I see something red in the middle"),
        ("Who is that?", "I don't see anyone."),
        ("Yes.", "All right. What would you like to know?"),
        ("Are you still there?", "Yes, I hear you."),
    ],
)
async def test_ordinary_words_are_understood_and_the_answer_is_honest(
    responder: Responder, question: str, answer: str
) -> None:
    said = await ask(responder, question, [card(RED)], spoken=False)
    assert isinstance(said, str)
    assert said.startswith(answer)


async def test_scanning_reads_a_code_and_else_the_text(responder: Responder) -> None:
    assert "table seven" in str(await ask(responder, "scan this", [qr_code("table seven")]))
    assert "any text" in str(await ask(responder, "please scan this for me", [card(RED)]))
    question = "where does this qr code go"
    assert "table seven" in str(await ask(responder, question, [qr_code("table seven")]))


@pytest.mark.parametrize(
    "words",
    [
        *("Say that again.", "repeat please", "what did you just say?", "come again?"),
        *("could you repeat that", "I didn't catch that", "one more time", "say it once more"),
    ],
)
async def test_it_says_its_last_answer_again_in_whatever_words(
    responder: Responder, words: str
) -> None:
    history = [("user", "what colour is this"), ("model", "It is red.")]
    assert await ask(responder, words, history=history, spoken=False) == "It is red."


async def test_it_tells_the_time_where_no_tool_does(responder: Responder) -> None:
    clock = datetime(2026, 11, 25, 14, 5)
    for words in ("what time is it", "Do you know what time it is?", "tell me the time"):
        assert await ask(responder, words, clock=clock) == "It is 14:05 by this server's clock."
    day = await ask(responder, "what day is it", clock=clock)
    assert day == "Today is Wednesday, 25 November 2026."


async def test_the_recognisers_request_is_answered_and_not_parsed_again(
    responder: Responder,
) -> None:
    turn = Turn(Transcript("hollow", request=Request("hello")))
    assert [part async for part in responder.answer(turn)] == [
        Say("Hello! Show me something and ask me about it.")
    ]
