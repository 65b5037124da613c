from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_asyncio

from vision_agent.local.answers.brain import Brain
from vision_agent.local.contract import CallTool, Manner, Say, SeenFrame, Turn
from vision_agent.local.language.intents import INTENTS
from vision_agent.local.sight import Sight

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def brain() -> AsyncIterator[Brain]:
    sight = Sight()
    yield Brain(sight)
    await sight.close()


def frame(picture: Any, at_ms: int = 0) -> SeenFrame:
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    return SeenFrame(jpeg.tobytes(), at_ms)


def wall() -> Any:
    picture = np.full((480, 640, 3), 190, np.uint8)
    hiss = np.random.default_rng(3).integers(-6, 7, picture.shape)
    return np.clip(picture + hiss, 0, 255).astype(np.uint8)


def card(bgr: tuple[int, int, int], at_ms: int = 0) -> SeenFrame:
    picture = wall()
    picture[90:390, 170:470] = bgr
    return frame(picture, at_ms)


def qr_code(text: str) -> SeenFrame:
    code = cv2.QRCodeEncoder.create().encode(text)
    picture = wall()
    big = cv2.resize(code, (280, 280), interpolation=cv2.INTER_NEAREST)
    picture[90:390, 170:470] = 255
    picture[100:380, 180:460] = cv2.cvtColor(big, cv2.COLOR_GRAY2BGR)
    return frame(picture)


async def ask(
    brain: Brain,
    text: str,
    frames: Sequence[SeenFrame] = (),
    *,
    understood: bool = True,
    spoken: bool = True,
    history: Sequence[tuple[str, str]] = (),
    tools: Sequence[Mapping[str, Any]] = (),
    tool_results: Sequence[Mapping[str, Any]] = (),
    now_ms: int = 0,
) -> str | CallTool:
    """The whole answer in one string, or the tool that is wanted."""
    turn = Turn(
        text,
        understood,
        spoken,
        frames=frames,
        history=history,
        tools=tools,
        tool_results=tool_results,
        now_ms=now_ms,
    )
    parts = [part async for part in brain.answer(turn)]
    said = " ".join(part.text for part in parts if isinstance(part, Say))
    calls = [part for part in parts if isinstance(part, CallTool)]
    assert not (said and calls)
    return calls[0] if calls else said


async def test_every_intent_of_the_table_has_an_answer(brain: Brain) -> None:
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
        "manner": "how do i sound",
        "point": "point at the red thing",
        "watch": "tell me when something moves",
        "remind": "remind me in five minutes to drink water",
        "closer": "look closely",
        "beyond": "what time is it",
    }
    assert set(spoken_forms) == {intent.name for intent in INTENTS}
    for text in spoken_forms.values():
        assert await ask(brain, text, [card(RED)])


async def test_it_answers_about_the_newest_picture(brain: Brain) -> None:
    answer = await ask(brain, "what colour is this", [card(RED), card(BLUE, 1000)], now_ms=1200)
    assert isinstance(answer, str)
    assert "blue" in answer
    assert "red" not in answer


async def test_it_confirms_a_colour_only_if_it_is_so(brain: Brain) -> None:
    yes = await ask(brain, "is this green", [card(GREEN)])
    no = await ask(brain, "is this red", [card(GREEN)])
    assert isinstance(yes, str)
    assert isinstance(no, str)
    assert yes.startswith("Yes")
    assert no.startswith("No")
    assert "green" in no


async def test_it_reads_a_code(brain: Brain) -> None:
    answer = await ask(brain, "is there a qr code what does it say", [qr_code("table seven")])
    assert isinstance(answer, str)
    assert answer.startswith("Yes")
    assert "table seven" in answer


async def test_it_says_that_there_is_no_code(brain: Brain) -> None:
    answer = await ask(brain, "is there a qr code", [card(RED)])
    assert isinstance(answer, str)
    assert "don't see" in answer


async def test_it_tells_what_changed_and_where(brain: Brain) -> None:
    picture = wall()
    picture[150:350, 20:180] = BLUE
    answer = await ask(brain, "what changed", [frame(wall(), 0), frame(picture, 3000)], now_ms=3000)
    assert isinstance(answer, str)
    assert "blue" in answer
    assert "left" in answer


async def test_the_dark_is_named_and_nothing_made_up(brain: Brain) -> None:
    for text in ("what do you see", "what colour is this", "is it too dark"):
        answer = await ask(brain, text, [frame(wall() // 40)])
        assert isinstance(answer, str)
        assert "too dark" in answer
        assert "something" not in answer


async def test_without_a_picture_it_says_so_and_with_an_old_one_how_old_it_is(
    brain: Brain,
) -> None:
    none = await ask(brain, "what colour is this")
    old = await ask(brain, "what colour is this", [card(RED, 1000)], now_ms=31_000)
    assert isinstance(none, str)
    assert isinstance(old, str)
    assert "can't see anything" in none
    assert "30 seconds old" in old


async def test_a_broken_picture_is_said_to_be_broken(brain: Brain) -> None:
    answer = await ask(brain, "what do you see", [SeenFrame(b"\xff\xd8 not a picture", 0)])
    assert isinstance(answer, str)
    assert "broken" in answer


async def test_what_was_not_understood_is_asked_again_with_what_was_heard(brain: Brain) -> None:
    answer = await ask(brain, "blood calories they sit", [card(RED)], understood=False)
    assert isinstance(answer, str)
    assert "didn't catch" in answer
    assert "blood calories they sit" in answer
    assert "red" not in answer


async def test_a_question_that_was_misheard_is_never_answered(brain: Brain) -> None:
    answer = await ask(brain, "what colour is this", [card(RED)], understood=False)
    assert isinstance(answer, str)
    assert "is red" not in answer


async def test_the_second_time_it_says_how_to_get_open_conversation(brain: Brain) -> None:
    question = "tell me about the history of rome"
    first = await ask(brain, question, spoken=False)
    assert isinstance(first, str)
    assert "Gemini" not in first
    second = await ask(
        brain, question, spoken=False, history=[("user", question), ("model", first)]
    )
    assert isinstance(second, str)
    assert "Gemini key" in second


async def test_noise_is_not_answered(brain: Brain) -> None:
    assert await ask(brain, "", understood=False) == ""


async def test_it_repeats_what_it_said(brain: Brain) -> None:
    history = [("user", "what colour is this"), ("model", "It is red."), ("user", "pardon")]
    assert await ask(brain, "pardon", history=history) == "It is red."


async def test_a_tool_that_is_plainly_asked_for_is_called(brain: Brain) -> None:
    call = await ask(brain, "Set a timer for 5 minutes", spoken=False, tools=[TIMER])
    assert call == CallTool("set_timer", {"minutes": 5})


async def test_what_it_knows_to_be_beyond_it_is_left_to_the_agents_tools(brain: Brain) -> None:
    clock = {"name": "get_time", "description": "Tells the time."}
    assert await ask(brain, "what time is it", tools=[clock]) == CallTool("get_time", {})
    answer = await ask(brain, "what time is it", [card(RED)])
    assert isinstance(answer, str)
    assert "beyond me" in answer


async def test_a_tool_is_not_called_without_its_argument(brain: Brain) -> None:
    answer = await ask(brain, "Set a timer", spoken=False, tools=[TIMER])
    assert isinstance(answer, str)


async def test_tools_do_not_get_in_the_way_of_questions(brain: Brain) -> None:
    answer = await ask(brain, "what colour is this", [card(RED)], tools=[TIMER])
    assert isinstance(answer, str)
    assert "red" in answer


async def test_a_tools_result_is_told_and_nothing_added(brain: Brain) -> None:
    results = [{"id": "1", "name": "set_timer", "response": {"result": "5 minutes from now"}}]
    answer = await ask(brain, "Set a timer for 5 minutes", tools=[TIMER], tool_results=results)
    assert answer == "The answer is 5 minutes from now."
    failed = [{"id": "1", "name": "set_timer", "response": {"error": "no clock"}}]
    answer = await ask(brain, "Set a timer for 5 minutes", tools=[TIMER], tool_results=failed)
    assert answer == "That did not work: no clock."


async def test_the_same_turn_gets_the_same_answer(brain: Brain) -> None:
    first = await ask(brain, "what do you see", [card(RED)])
    assert await ask(brain, "what do you see", [card(RED)]) == first


async def test_what_got_lost_is_asked_for_again_and_noise_is_named_as_the_reason(
    brain: Brain,
) -> None:
    async def answer(turn: Turn) -> str:
        return " ".join([part.text async for part in brain.answer(turn) if isinstance(part, Say)])

    assert "Say it again" in await answer(Turn("", False, spoken=True, lost=True))
    assert await answer(Turn("", False, spoken=True)) == ""
    noisy, quiet = Manner(-25.0, noise_db=-40.0), Manner(-25.0, noise_db=-60.0)
    assert "too noisy" in await answer(Turn("water see", False, spoken=True, manner=noisy))
    assert "too noisy" not in await answer(Turn("water see", False, spoken=True, manner=quiet))
    understood = await answer(Turn("hello", True, spoken=True, manner=noisy))
    assert "too noisy" not in understood
