"""The frames, the content and the history of a turn, over the wire."""

from __future__ import annotations

import pytest
from google.genai import errors, types

from tests.local.live_clients import MODEL_2, MODEL_3, MODEL_3_1, Connect
from tests.local.live_talk import LOUD, QUIET, Heard, frame, say, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import Transcript

ALL_FRAMES = [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    ("model", "coverage", "frames", "sound_ms"),
    [
        (MODEL_2, None, [b"2"], 200),
        (MODEL_3, None, ALL_FRAMES, 200),
        (MODEL_3, "TURN_INCLUDES_ONLY_ACTIVITY", [b"2"], 200),
        (MODEL_2, "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO", ALL_FRAMES, 200),
        (MODEL_2, "TURN_INCLUDES_ALL_INPUT", ALL_FRAMES, 1200),
    ],
)
async def test_a_turn_includes_what_its_coverage_says(
    connect: Connect,
    engine: ScriptedEngine,
    model: str,
    coverage: str | None,
    frames: list[bytes],
    sound_ms: int,
) -> None:
    engine.hears.append(Transcript("hello", True))
    realtime = types.RealtimeInputConfig(
        turn_coverage=types.TurnCoverage(coverage) if coverage else None
    )
    config = {"realtime_input_config": realtime}
    async with connect(model, **config) as session, Heard(session) as heard:
        await send_sound(session, QUIET, 20)
        await session.send_realtime_input(video=frame(b"0"))
        await session.send_realtime_input(video=frame(b"1"))
        await send_sound(session, LOUD, 1)
        await session.send_realtime_input(video=frame(b"2"))
        await send_sound(session, LOUD, 9)
        await send_sound(session, QUIET, 30 if model == MODEL_2 else 60)
        usage = (await heard.until("usage_metadata")).usage_metadata
    [turn] = engine.turns
    assert [frame.jpeg for frame in turn.frames] == frames
    assert usage is not None
    details = {str(d.modality.value): d.token_count for d in usage.prompt_tokens_details or []}
    each = 258 if model == MODEL_2 else 272
    assert details == {"VIDEO": each * len(frames), "AUDIO": sound_ms * 25 // 1000}


async def test_outside_activity_the_last_frame_before_a_question_is_seen(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect() as session, Heard(session) as heard:
        for number in (b"0", b"1"):
            await session.send_realtime_input(video=frame(number))
        await session.send_realtime_input(text="what is it")
        await heard.until("turn_complete")
        await session.send_realtime_input(text="and now")
        await heard.until("turn_complete", 2)
    assert [[frame.jpeg for frame in turn.frames] for turn in engine.turns] == [[b"1"], [b"1"]]


@pytest.mark.parametrize("model", ["local", MODEL_2, MODEL_3_1, MODEL_3])
async def test_typed_content_sees_its_own_pictures_and_no_frame_of_the_stream(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.hears.append(Transcript("and what is this", True))
    async with connect(model) as session, Heard(session) as heard:
        await session.send_realtime_input(video=frame(b"streamed"))
        await session.send_client_content(
            turns=types.Content(
                role="user",
                parts=[types.Part(inline_data=frame(b"shown")), types.Part(text="what is this")],
            )
        )
        await heard.until("turn_complete")
        await type_text(session, "and now")
        await heard.until("turn_complete", 2)
        await say(session)
        await heard.until("turn_complete", 3)
    seen = [[frame.jpeg for frame in turn.frames] for turn in engine.turns]
    assert seen == [[b"shown"], [b"shown"], [b"shown", b"streamed"]]


async def test_history_is_what_both_sides_said_before(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "one")
        await heard.until("turn_complete")
        await type_text(session, "two")
        await heard.until("turn_complete", 2)
    assert list(engine.turns[1].history) == [("user", "one"), ("model", "You said one.")]


async def test_content_may_come_in_pieces_before_an_answer_is_asked_for(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect() as session, Heard(session) as heard:
        for text in ("look", "at this"):
            await session.send_client_content(
                turns=types.Content(role="user", parts=[types.Part(text=text)]),
                turn_complete=False,
            )
        await session.send_client_content(turn_complete=True)
        await heard.until("turn_complete")
    assert [turn.text for turn in engine.turns] == ["look at this"]


def replayed() -> list[types.Content]:
    lines = [("user", "hello"), ("model", "Hi."), ("user", "what is this")]
    return [types.Content(role=role, parts=[types.Part(text=text)]) for role, text in lines]


SEEDED = {"history_config": types.HistoryConfig(initial_history_in_client_content=True)}


async def test_2x_answers_the_question_that_a_replayed_history_ends_with(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect(MODEL_2, **SEEDED) as session, Heard(session) as heard:
        await session.send_client_content(turns=replayed(), turn_complete=True)
        await heard.until("turn_complete")
    [turn] = engine.turns
    assert turn.text == "what is this"
    assert list(turn.history) == [("user", "hello"), ("model", "Hi.")]


async def test_3x_answers_it_when_it_is_nudged(connect: Connect, engine: ScriptedEngine) -> None:
    async with connect(MODEL_3, **SEEDED) as session, Heard(session) as heard:
        await session.send_client_content(turns=replayed(), turn_complete=True)
        await session.send_realtime_input(text=".")
        await heard.until("turn_complete")
    [turn] = engine.turns
    assert turn.text == "what is this"
    assert list(turn.history) == [("user", "hello"), ("model", "Hi.")]


async def test_2_5_refuses_the_calls_of_functions_in_a_history(connect: Connect) -> None:
    call = types.FunctionCall(id="c1", name="measure", args={})
    contents = [types.Content(role="model", parts=[types.Part(function_call=call)])]
    async with connect(MODEL_2, **SEEDED) as session:
        await session.send_client_content(turns=contents)
        with pytest.raises(errors.APIError, match=r"1007.*Request contains an invalid argument"):
            async for _ in session.receive():
                pass


@pytest.mark.parametrize("model", ["local", MODEL_3])
async def test_a_replayed_question_is_answered_with_the_tools_results_replayed_after_it(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    call = types.FunctionCall(id="c1", name="measure", args={})
    result = types.FunctionResponse(id="c1", name="measure", response={"metres": 42})
    contents = [
        *replayed(),
        types.Content(role="model", parts=[types.Part(function_call=call)]),
        types.Content(role="user", parts=[types.Part(function_response=result)]),
    ]
    async with connect(model, **SEEDED) as session, Heard(session) as heard:
        await session.send_client_content(turns=contents, turn_complete=True)
        if model == MODEL_3:
            await session.send_realtime_input(text=".")
        await heard.until("turn_complete")
    [turn] = engine.turns
    assert turn.text == "what is this"
    assert [dict(r) for r in turn.tool_results] == [
        {"id": "c1", "name": "measure", "response": {"metres": 42}}
    ]
