"""The pieces of an answer, in the order in which they are generated."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from tests.local.scripted_engine import LETTER_MS, ScriptedEngine
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.habits import HALF_CASCADE_2_5, NATIVE_2_5
from vision_agent.local.api.models import MODELS
from vision_agent.local.api.response_stream import (
    AnswerAudio,
    AnswerCalls,
    AnswerCaption,
    AnswerCaptioned,
    AnswerPiece,
    AnswerText,
    AnswerThought,
    ResponseStream,
)
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.contract import Say, Thought, ToolRequest, Transcript, Turn

SETUP = Setup(Endpoint(vertex=False, version="v1beta"), MODELS["local"])
BACKGROUND = {"name": "look_up", "behavior": "NON_BLOCKING"}
TURN = Turn(Transcript("hello"), tools=(BACKGROUND, {"name": "get_time"}))


async def pieces(engine: ScriptedEngine, setup: Setup = SETUP) -> list[AnswerPiece]:
    return [piece async for piece in ResponseStream(engine, setup).answer(TURN)]


async def test_a_spoken_sentence_is_sound_of_its_length_with_all_of_its_words() -> None:
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("One two three."), Say("Four.")]
    made = await pieces(engine)
    audio = [piece for piece in made if isinstance(piece, AnswerAudio)]
    assert made == audio
    assert [len(piece.pcm) for piece in audio[:2]] == [4_800, 15_360]
    assert sum(piece.duration_ms for piece in audio) == LETTER_MS * (14 + 5)
    assert "".join(piece.words for piece in audio) == "One two three. Four."


async def test_words_may_come_ahead_of_their_sound_or_all_before_it() -> None:
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("One two three four five six seven."), Say("Eight.")]
    ahead = await pieces(engine, replace(SETUP, habits=replace(NATIVE_2_5, thinks=False)))
    assert isinstance(ahead[0], AnswerCaption)
    assert isinstance(ahead[-1], AnswerAudio)
    before = await pieces(engine, replace(SETUP, habits=HALF_CASCADE_2_5))
    captioned = before.index(AnswerCaptioned())
    for made, words in (
        (ahead, [piece for piece in ahead if isinstance(piece, AnswerCaption)]),
        (before, [piece for piece in before[:captioned] if isinstance(piece, AnswerCaption)]),
    ):
        assert (
            "".join(piece.words for piece in words) == "One two three four five six seven. Eight."
        )
        sound = sum(piece.duration_ms for piece in made if isinstance(piece, AnswerAudio))
        assert sound == LETTER_MS * (34 + 6)
    assert all(isinstance(piece, AnswerAudio) for piece in before[captioned + 1 :])


async def test_a_model_that_thinks_has_thought_before_it_speaks_and_not_again_after_a_tool() -> (
    None
):
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("One.")]
    setup = replace(SETUP, spoken=False, habits=NATIVE_2_5)
    thought, said = await pieces(engine, setup)
    assert isinstance(thought, AnswerThought)
    assert said == AnswerText("One.")
    engine.answers = lambda turn: [Thought("A script's own."), Say("One.")]
    assert await pieces(engine, setup) == [AnswerThought("A script's own."), said]
    engine.answers = lambda turn: [Thought(""), Say("One.")]
    assert await pieces(engine, setup) == [said]
    after_tool = replace(TURN, tool_results=[{"name": "get_time", "response": {}}])
    engine.answers = lambda turn: [Say("One.")]
    assert [piece async for piece in ResponseStream(engine, setup).answer(after_tool)] == [said]


async def test_an_answer_in_text_has_no_sound() -> None:
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("One."), Say("Two.")]
    made = await pieces(engine, replace(SETUP, spoken=False))
    assert made == [AnswerText("One."), AnswerText(" Two.")]


async def test_calls_in_the_background_go_out_before_the_next_sentence_and_others_last() -> None:
    engine = ScriptedEngine()
    engine.answers = lambda turn: [ToolRequest("get_time"), ToolRequest("look_up"), Say("Wait.")]
    made = await pieces(engine, replace(SETUP, spoken=False))
    first, text, last = made
    assert isinstance(first, AnswerCalls)
    assert ([call.name for call in first.calls], first.in_background) == (["look_up"], True)
    assert text == AnswerText("Wait.")
    assert isinstance(last, AnswerCalls)
    assert ([call.name for call in last.calls], last.in_background) == (["get_time"], False)


async def test_leaving_an_answer_stops_the_engine() -> None:
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say("A long story.")]
    async with aclosing(ResponseStream(engine, SETUP).answer(TURN)) as made:
        assert isinstance(await anext(made), AnswerAudio)
        assert engine.open_answers == 1
    assert engine.open_answers == 0
