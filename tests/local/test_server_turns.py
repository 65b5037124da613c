"""Turn-taking on the wire: barge-in, play-out, activity signals, tools, text."""

from __future__ import annotations

import asyncio

import pytest
from google.genai import types

from tests.local.live_clients import MODEL_2, MODEL_3, Connect
from tests.local.live_talk import LOUD, QUIET, Heard, say, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import CallTool, Say
from vision_agent.local.contract import Heard as Understood

CAPTIONS = {"output_audio_transcription": types.AudioTranscriptionConfig()}
LONG = "This is a long answer that nobody wants to hear to its very end."
BOTH = pytest.mark.parametrize("model", [MODEL_2, MODEL_3])


def disabled_detection(**more: object) -> types.RealtimeInputConfig:
    return types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(disabled=True), **more
    )


@BOTH
async def test_speech_interrupts_an_answer_that_is_still_being_made(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    never = asyncio.Event()
    engine.answers = lambda turn: [Say("Well."), never.wait, Say("Too late.")]
    async with connect(model, **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me")
        await heard.until("audio")
        await send_sound(session, LOUD, 3)
        await heard.until("turn_complete")
        assert heard.order[-3:] == ["interrupted", "usage_metadata", "turn_complete"]
        assert "generation_complete" not in heard.order
        assert engine.open_answers == 0
    assert heard.captions == "Well."


@BOTH
async def test_speech_interrupts_an_answer_that_is_still_being_heard(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.answers = lambda turn: [Say(LONG)]
    async with connect(model) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me")
        await heard.until("generation_complete")
        assert heard.count("turn_complete") == 0
        await send_sound(session, LOUD, 3)
        await heard.until("turn_complete")
    assert heard.order[-4:] == [
        "generation_complete",
        "interrupted",
        "usage_metadata",
        "turn_complete",
    ]


async def test_nothing_of_an_interrupted_answer_follows_the_interruption(
    connect: Connect, engine: ScriptedEngine
) -> None:
    def answers(turn: object) -> list[Say]:
        return [Say(LONG) for _ in range(200)] if len(engine.turns) == 1 else [Say("Yes?")]

    engine.answers = answers
    engine.hears.append(Understood("stop", True))
    async with connect(**CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me everything")
        await heard.until("audio", 20)
        await say(session)
        await heard.until("turn_complete", 2)
    after = heard.order[heard.order.index("interrupted") :]
    assert after == [
        "interrupted",
        "usage_metadata",
        "turn_complete",
        "audio",
        "caption",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert heard.captions.endswith("Yes?")
    # What was cut off is history as far as it was sent, and was on the wire only as far.
    history = dict(engine.turns[1].history)
    assert history["user"] == "tell me everything"
    assert heard.captions.removesuffix("Yes?").strip().startswith(history["model"][:20])


async def test_a_turn_is_complete_when_it_has_been_heard_not_when_it_was_made(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Half a second")]
    loop = asyncio.get_running_loop()
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hello")
        await heard.until("audio")
        started = loop.time()
        await heard.until("turn_complete")
        # 13 letters of 60 ms each; the first piece was on its way for a moment.
        assert loop.time() - started > 0.7


async def test_typed_text_interrupts_and_is_answered(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say(LONG if turn.text == "tell me" else "Fine.")]
    async with connect(**CAPTIONS) as session, Heard(session) as heard:
        await type_text(session, "tell me")
        await heard.until("generation_complete")
        await type_text(session, "stop")
        await heard.until("turn_complete", 2)
    assert heard.count("interrupted") == 1
    assert heard.captions == f"{LONG}Fine."


async def test_without_interruption_the_next_question_waits(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Understood("and then", True))
    engine.answers = lambda turn: [Say(f"To {turn.text}.")]
    realtime = types.RealtimeInputConfig(activity_handling=types.ActivityHandling.NO_INTERRUPTION)
    async with (
        connect(realtime_input_config=realtime, **CAPTIONS) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "tell me")
        await heard.until("audio")
        await say(session)
        await heard.until("turn_complete", 2)
    assert "interrupted" not in heard.order
    assert heard.captions == "To tell me.To and then."


async def test_barge_in_is_noticed_while_the_hearing_is_slow(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears += [Understood("first", False), Understood("second", False)]
    engine.may_hear.clear()
    async with connect() as session, Heard(session) as heard:
        await say(session)
        await type_text(session, "typed")
        await heard.until("audio")
        await say(session)
        await heard.until("interrupted")
        engine.may_hear.set()
        await heard.until("turn_complete", 2)
    assert [turn.text for turn in engine.turns] == ["typed", "first second"]


async def test_the_client_may_signal_activity_itself(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Understood("hello", True))
    async with (
        connect(realtime_input_config=disabled_detection()) as session,
        Heard(session) as heard,
    ):
        await send_sound(session, LOUD, 5)
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await send_sound(session, LOUD, 5)
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        await send_sound(session, LOUD, 5)
        await heard.until("turn_complete")
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await type_text(session, "over")
        await heard.until("audio")
    assert engine.activities == ["begin", "end", "begin"]
    assert engine.fed_bytes == 5 * 640
    assert [turn.text for turn in engine.turns] == ["hello", "over"]


async def test_a_signalled_activity_interrupts(connect: Connect, engine: ScriptedEngine) -> None:
    engine.answers = lambda turn: [Say(LONG)]
    async with (
        connect(realtime_input_config=disabled_detection()) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "tell me")
        await heard.until("generation_complete")
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await heard.until("turn_complete")
    assert "interrupted" in heard.order


async def test_closing_the_microphone_ends_what_was_being_said(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Understood("hello", True))
    async with connect() as session, Heard(session) as heard:
        await send_sound(session, LOUD, 10)
        await session.send_realtime_input(audio_stream_end=True)
        await heard.until("turn_complete")
    assert [turn.text for turn in engine.turns] == ["hello"]


async def test_an_answer_of_nothing_is_a_turn_all_the_same(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: []
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hm")
        await heard.until("turn_complete")
    assert heard.order == ["generation_complete", "usage_metadata", "turn_complete"]


def with_tools(turn: object) -> list[object]:
    results = getattr(turn, "tool_results")  # noqa: B009
    if not results:
        return [Say("A moment."), CallTool("get_time", {"place": "Graz"}), CallTool("get_date")]
    return [Say(f"It is {results[0]['response']['result']}.")]


async def respond(session: object, call: types.FunctionCall, value: str) -> None:
    await session.send_tool_response(  # type: ignore[attr-defined]
        function_responses=types.FunctionResponse(
            id=call.id, name=call.name, response={"result": value}
        )
    )


@pytest.mark.parametrize(
    ("model", "between"),
    [(MODEL_2, ["usage_metadata", "turn_complete"]), (MODEL_3, [])],
)
async def test_an_answer_goes_on_with_the_results_of_its_tools(
    connect: Connect, engine: ScriptedEngine, model: str, between: list[str]
) -> None:
    engine.answers = with_tools  # type: ignore[assignment]
    async with connect(model, **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        assert called.tool_call is not None
        first, second = called.tool_call.function_calls or []
        assert (first.name, first.args) == ("get_time", {"place": "Graz"})
        assert (second.name, second.args) == ("get_date", {})
        await respond(session, first, "noon")
        await respond(session, second, "Monday")
        await heard.until("generation_complete")
        await heard.until("turn_complete", 1 + bool(between))
    assert heard.order == [
        "audio",
        "caption",
        "tool_call",
        *between,
        "audio",
        "caption",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert heard.captions == "A moment.It is noon."
    assert [turn.text for turn in engine.turns] == ["what time is it"] * 2


@BOTH
async def test_speech_cancels_a_tool_and_its_late_result_changes_nothing(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.hears.append(Understood("never mind", True))
    engine.answers = lambda turn: (
        [Say("All right.")] if turn.text == "never mind" else [CallTool("get_time")]
    )
    async with connect(model, **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        await say(session)
        cancelled = await heard.until("tool_call_cancellation")
        assert cancelled.tool_call_cancellation is not None
        assert cancelled.tool_call_cancellation.ids == [call.id]
        await respond(session, call, "noon")
        await heard.until("generation_complete")
        await heard.until("turn_complete", 2)
    assert heard.captions == "All right."
    assert [turn.text for turn in engine.turns] == ["what time is it", "never mind"]


async def test_usage_counts_258_a_picture_and_25_a_second_of_sound(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Understood("hello", True))
    engine.answers = lambda turn: [Say("x" * 10)]  # 600 ms
    async with connect() as session, Heard(session) as heard:
        for _ in range(2):
            await session.send_realtime_input(
                media=types.Blob(data=b"jpeg", mime_type="image/jpeg")
            )
        await send_sound(session, QUIET, 20)
        await send_sound(session, LOUD, 50)  # one second, and only that counts
        await send_sound(session, QUIET, 35)
        first = (await heard.until("usage_metadata")).usage_metadata
        await heard.until("turn_complete")
        await type_text(session, "abcd")
        second = (await heard.until("usage_metadata", 2)).usage_metadata
    assert first is not None
    assert first.prompt_token_count == 2 * 258 + 25
    assert first.response_token_count == 15
    assert first.total_token_count == 2 * 258 + 25 + 15
    details = {str(d.modality.value): d.token_count for d in first.prompt_tokens_details or []}
    assert details == {"AUDIO": 25, "IMAGE": 516}
    # The next turn reads all of it again, the first answer included.
    assert second is not None
    assert second.prompt_token_count == first.total_token_count + 1


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
