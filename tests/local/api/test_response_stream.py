"""The pieces of an answer, in the order in which they are generated."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from tests.local.scripted_engine import LETTER_MS, ScriptedEngine
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.models import MODELS
from vision_agent.local.api.response_stream import (
    AnswerAudio,
    AnswerCalls,
    AnswerCaption,
    AnswerPiece,
    AnswerText,
    ResponseStream,
)
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn

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
    assert all(piece.duration_ms <= 100 for piece in audio)
    assert sum(piece.duration_ms for piece in audio) == LETTER_MS * (14 + 5)
    words = "".join(piece.words for piece in made if isinstance(piece, AnswerCaption))
    assert words == "One two three. Four."
    assert isinstance(made[0], AnswerAudio)


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
