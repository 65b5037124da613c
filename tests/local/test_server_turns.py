"""Turn-taking on the wire: barge-in, play-out, activity signals, tools, text."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from google.genai import errors, types

from tests.local.live_clients import MODEL_2, MODEL_3, MODEL_3_1, VERTEX_MODEL_2, Connect, raw
from tests.local.live_talk import LOUD, QUIET, Heard, say, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api.habits import EXTENDED_THINKING
from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn
from vision_agent.local.server import LocalServer

CAPTIONS = {"output_audio_transcription": types.AudioTranscriptionConfig()}
LONG = "This is a long answer that nobody wants to hear to its very end."
BOTH = pytest.mark.parametrize("model", [MODEL_2, MODEL_3])


def disabled_detection(**more: object) -> types.RealtimeInputConfig:
    return types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(disabled=True), **more
    )


def frame(data: bytes) -> types.Blob:
    return types.Blob(data=data, mime_type="image/jpeg")


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
    engine.hears.append(Transcript("stop", True))
    async with connect(**CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me everything")
        await heard.until("audio", 20)
        await say(session)
        await heard.until("turn_complete", 2)
    said = [kind for kind in heard.order if kind != "caption"]
    after = said[said.index("interrupted") :]
    assert after == [
        "interrupted",
        "usage_metadata",
        "turn_complete",
        "audio",
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
    engine.hears.append(Transcript("and then", True))
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
    engine.hears += [Transcript("first", False), Transcript("second", False)]
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
    engine.hears.append(Transcript("hello", True))
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
    engine.hears.append(Transcript("hello", True))
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
    assert heard.order == [
        "generation_complete",
        "usage_metadata",
        "turn_complete",
        "waiting_for_input",
    ]
    content = heard.messages[-1].server_content
    assert content is not None
    assert content.turn_complete_reason is types.TurnCompleteReason.NEED_MORE_INPUT


async def test_extended_thinking_says_a_filler_and_then_the_answer(
    connect: Connect, engine: ScriptedEngine
) -> None:
    level = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
    config = {"thinking_config": level, "output_audio_transcription": {}}
    async with (
        connect("gemini-3.8-live-extended-thinking", **config) as session,
        Heard(session) as heard,
    ):
        await session.send_realtime_input(text="one")
        await heard.until("turn_complete", 2)
        await session.send_realtime_input(text="two")
        await heard.until("turn_complete", 4)
    turn = ["caption", "audio", "generation_complete", "usage_metadata", "turn_complete"]
    assert [kind for kind in heard.order if kind not in ("caption", "audio")] == turn[2:] * 4
    statuses = [
        message.server_content.interaction_status
        for message in heard.messages
        if message.server_content and message.server_content.turn_complete
    ]
    status = types.InteractionStatus
    assert statuses == [status.IN_PROGRESS, status.IDLE] * 2
    filler = EXTENDED_THINKING.filler
    assert heard.captions == f"{filler}You said one.{filler}You said two."
    assert [turn.text for turn in engine.turns] == ["one", "two"]
    assert engine.turns[1].history == (("user", "one"), ("model", f"{filler} You said one."))


def with_tools(turn: object) -> list[object]:
    results = getattr(turn, "tool_results")  # noqa: B009
    if not results:
        return [
            Say("A moment."),
            ToolRequest("get_time", {"place": "Graz"}),
            ToolRequest("get_date"),
        ]
    return [Say(f"It is {results[0]['response']['result']}.")]


async def respond(session: object, call: types.FunctionCall, value: str) -> None:
    await session.send_tool_response(  # type: ignore[attr-defined]
        function_responses=types.FunctionResponse(
            id=call.id, name=call.name, response={"result": value}
        )
    )


@pytest.mark.parametrize(
    ("model", "between"),
    [
        ("local", ["generation_complete", "usage_metadata", "turn_complete"]),
        (MODEL_2, []),
        (MODEL_3_1, []),
    ],
)
async def test_an_answer_goes_on_with_the_results_of_its_tools(
    connect: Connect, engine: ScriptedEngine, model: str, between: list[str]
) -> None:
    engine.answers = with_tools  # type: ignore[assignment]
    async with connect(model, tools=[PLAIN], **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        assert called.tool_call is not None
        first, second = called.tool_call.function_calls or []
        assert (first.name, first.args) == ("get_time", {"place": "Graz"})
        assert (second.name, second.args) == ("get_date", {})
        await respond(session, first, "noon")
        await respond(session, second, "Monday")
        await heard.until("turn_complete", 1 + bool(between))
    said = [kind for kind in heard.order if kind != "caption"]
    assert said[said.index("audio") :] == [
        "audio",
        "tool_call",
        *between,
        "audio",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert heard.captions == "A moment.It is noon."
    assert [turn.text for turn in engine.turns] == ["what time is it"] * 2


async def test_3_8_makes_a_call_again_that_was_cut_off(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("never mind", True))
    engine.answers = lambda turn: (
        with_tools(turn)[-1:] if turn.tool_results else with_tools(turn)[:2]
    )
    async with (
        connect(MODEL_3, tools=[BLOCKING], **CAPTIONS) as session,
        Heard(session) as heard,
    ):
        await session.send_realtime_input(text="what time is it")
        first = await heard.until("tool_call")
        await say(session)
        again = await heard.until("tool_call", 2)
        assert first.tool_call is not None
        assert again.tool_call is not None
        old, new = ((told.function_calls or [])[0] for told in (first.tool_call, again.tool_call))
        assert (old.name, old.args) == (new.name, new.args)
        assert old.id != new.id
        for call in (old, *(again.tool_call.function_calls or [])):
            await respond(session, call, "noon")
        await heard.until("generation_complete")
    assert "tool_call_cancellation" not in heard.order
    assert heard.order[: heard.order.index("interrupted")][-1] == "tool_call"
    assert heard.captions.endswith("It is noon.")
    assert [turn.text for turn in engine.turns] == ["what time is it", "never mind"]


@pytest.mark.parametrize("model", [MODEL_2, MODEL_3_1])
async def test_speech_cancels_a_tool_and_its_late_result_changes_nothing(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.hears.append(Transcript("never mind", True))
    engine.answers = lambda turn: (
        [Say("All right.")] if turn.text == "never mind" else [ToolRequest("get_time")]
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


async def test_usage_counts_258_a_frame_and_25_a_second_of_sound(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("hello", True))
    engine.answers = lambda turn: [Say("x" * 10)]  # 600 ms
    coverage = types.TurnCoverage.TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO
    realtime = types.RealtimeInputConfig(turn_coverage=coverage)
    async with connect(realtime_input_config=realtime) as session, Heard(session) as heard:
        for _ in range(2):
            await session.send_realtime_input(media=frame(b"jpeg"))
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
    assert details == {"AUDIO": 25, "VIDEO": 516}
    # The next turn reads all of it again, the first answer included.
    assert second is not None
    assert second.prompt_token_count == first.total_token_count + 1


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


NON_BLOCKING = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name="get_time", behavior=types.Behavior.NON_BLOCKING)
    ]
)
BLOCKING = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name="get_time", behavior=types.Behavior.BLOCKING)
    ]
)
PLAIN = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_time")])


def looks_it_up(turn: Turn) -> list[Say | ToolRequest]:
    """Calls a tool, goes on talking, and says what came of it when it comes."""
    if turn.tool_results:
        return [Say(f"It is {turn.tool_results[0]['response']['result']}.")]
    if turn.text == "what time is it":
        return [ToolRequest("get_time"), Say("Looking it up.")]
    return [Say("Fine.")]


@pytest.mark.parametrize(
    ("model", "tool", "is_waited_for"),
    [
        (MODEL_2, PLAIN, True),
        (MODEL_2, NON_BLOCKING, False),
        (MODEL_3, PLAIN, False),
        (MODEL_3, BLOCKING, True),
        (MODEL_3_1, NON_BLOCKING, True),
        ("local", NON_BLOCKING, False),
    ],
)
async def test_a_tool_is_waited_for_as_the_model_and_the_declaration_say(
    connect: Connect, engine: ScriptedEngine, model: str, tool: types.Tool, is_waited_for: bool
) -> None:
    engine.answers = looks_it_up
    async with connect(model, tools=[tool]) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        if not is_waited_for:
            await heard.until("audio")
        if not is_waited_for:
            await heard.until("turn_complete" if model != MODEL_2 else "generation_complete")
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        await respond(session, call, "noon")
        await heard.until("generation_complete", 1 if is_waited_for else 2)
    order = [kind for kind in heard.order if kind not in ("usage_metadata", "turn_complete")]
    assert order == (
        ["audio", "tool_call", "generation_complete"]
        if is_waited_for
        else ["tool_call", "audio", "generation_complete", "audio", "generation_complete"]
    )


@pytest.mark.parametrize("scheduling", ["INTERRUPT", "WHEN_IDLE", None])
@pytest.mark.parametrize("within_response", [True, False])
async def test_a_late_result_interrupts_or_waits_as_it_says(
    connect: Connect, engine: ScriptedEngine, scheduling: str | None, within_response: bool
) -> None:
    engine.answers = looks_it_up
    async with connect(MODEL_3, tools=[PLAIN], **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        await heard.until("audio")
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        said = {"scheduling": scheduling} if scheduling else {}
        response = {"result": "noon"} | (said if within_response else {})
        result = types.FunctionResponse(id=call.id, name=call.name, response=response)
        if not within_response and scheduling:
            result.scheduling = types.FunctionResponseScheduling(scheduling)
        await session.send_tool_response(function_responses=result)
        await heard.until("generation_complete", 1 if scheduling == "INTERRUPT" else 2)
    order = [kind for kind in heard.order if kind not in ("usage_metadata", "audio", "caption")]
    assert order == (
        ["tool_call", "interrupted", "turn_complete", "generation_complete"]
        if scheduling == "INTERRUPT"
        else ["tool_call", "generation_complete", "turn_complete", "generation_complete"]
    )
    assert heard.captions.endswith("It is noon.")
    assert engine.turns[1].text == "what time is it"
    assert engine.turns[1].tool_results[0]["response"] == {"result": "noon"}


async def test_a_silent_result_is_only_known(connect: Connect, engine: ScriptedEngine) -> None:
    engine.answers = looks_it_up
    async with connect(MODEL_3, tools=[PLAIN]) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        await heard.until("turn_complete")
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        await session.send_tool_response(
            function_responses=types.FunctionResponse(
                id=call.id,
                name=call.name,
                response={"result": "noon"},
                scheduling=types.FunctionResponseScheduling.SILENT,
            )
        )
        await session.send_realtime_input(text="thanks")
        await heard.until("turn_complete", 2)
    assert [turn.text for turn in engine.turns] == ["what time is it", "thanks"]
    assert engine.turns[1].history[-1] == ("tool", 'get_time: {"result": "noon"}')


async def test_a_tool_may_give_back_more_than_once(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = looks_it_up
    async with connect(MODEL_3, tools=[PLAIN], **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        await heard.until("turn_complete")
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        for value, more in (("noon", True), ("one", False), ("two", False)):
            await session.send_tool_response(
                function_responses=types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": value}, will_continue=more
                )
            )
            if value != "two":
                await heard.until("turn_complete", 2 if more else 3)
        await session.send_realtime_input(text="thanks")
        await heard.until("turn_complete", 4)
    assert heard.captions.endswith("It is noon.It is one.Fine.")


async def test_speech_does_not_cancel_a_tool_nobody_waits_for(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("never mind", True))
    engine.answers = looks_it_up
    async with connect(MODEL_3, tools=[PLAIN], **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="what time is it")
        called = await heard.until("tool_call")
        await heard.until("audio")
        assert called.tool_call is not None
        [call] = called.tool_call.function_calls or []
        await say(session)
        await heard.until("generation_complete")
        await respond(session, call, "noon")
        await heard.until("generation_complete", 2)
    assert "tool_call_cancellation" not in heard.order
    assert heard.captions.endswith("Fine.It is noon.")


@BOTH
async def test_two_utterances_of_one_turn_join_into_one_transcript(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.hears += [Transcript(text, False) for text in ("what changed", "what colour", "bye")]
    engine.answers = lambda turn: [Say("Yes.")]
    engine.may_hear.clear()
    transcribed = {"input_audio_transcription": types.AudioTranscriptionConfig()}
    async with connect(model, **transcribed) as session, Heard(session) as heard:
        await say(session)
        await say(session)
        await session.send_realtime_input(text="typed, so that all of it has arrived")
        await heard.until("audio")
        engine.may_hear.set()
        await heard.until("turn_complete", 2)
        await say(session)
        await heard.until("turn_complete", 3)
    said = [
        message.server_content.input_transcription.text
        for message in heard.messages
        if message.server_content and message.server_content.input_transcription
    ]
    pieces = [" what changed", " what colour", " bye"]
    assert said == (pieces if model == MODEL_2 else ["what changed", " what colour", "bye"])


async def test_an_interruption_is_soon_heard_by_a_client_that_reads_slowly(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say(LONG) for _ in range(5)]
    async with connect(**CAPTIONS) as session:
        await type_text(session, "tell me everything")
        since_cut_in = None
        async for message in session.receive():
            if since_cut_in is None and message.data:
                # By now all of the answer could be under way: it is made in no time.
                await asyncio.sleep(0.5)
                await send_sound(session, LOUD, 3)
                await asyncio.sleep(0.1)
                since_cut_in = 0
            elif since_cut_in is not None:
                since_cut_in += 1
            if message.server_content and message.server_content.interrupted:
                break
    # Sound runs far ahead, and what the client has not read is taken back.
    assert since_cut_in is not None
    assert since_cut_in < 40


async def test_usage_comes_in_the_message_that_completes_the_turn(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Ok")]
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hello")
        last = await heard.until("turn_complete")
    assert last.usage_metadata is not None
    assert [message for message in heard.messages if message.usage_metadata] == [last]


async def test_a_mute_does_not_move_the_offsets_of_what_is_said_after_it(
    server: LocalServer, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Ok")]
    engine.hears.extend([Transcript("one", True), Transcript("two", True)])
    loud = base64.b64encode(b"\x10\x27" * 3_200).decode()  # 200 ms
    audio = {"realtimeInput": {"audio": {"data": loud, "mimeType": "audio/pcm;rate=16000"}}}
    starts: list[str] = []
    vertex = "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent"
    async with raw(server, path=vertex) as connection:
        model = f"projects/p/locations/l/publishers/google/models/{VERTEX_MODEL_2}"
        setup = {"setup": {"model": model, "explicitVadSignal": True}}
        await connection.send(json.dumps(setup))
        await connection.recv()
        for _ in range(2):
            await connection.send(json.dumps(audio))
            await connection.send('{"realtimeInput":{"audioStreamEnd":true}}')
            async for message in connection:
                said = json.loads(message)
                if (said.get("voiceActivity") or {}).get("type") == "ACTIVITY_START":
                    starts.append(said["voiceActivity"]["audioOffset"])
                if "turnComplete" in said.get("serverContent", {}):
                    break
    assert starts == ["0s", "0.200s"]
