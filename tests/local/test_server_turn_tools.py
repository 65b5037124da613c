"""Tool calls in the turns of a session, over the wire."""

from __future__ import annotations

import pytest
from google.genai import types

from tests.local.live_clients import MODEL_2, MODEL_3, MODEL_3_1, Connect
from tests.local.live_talk import CAPTIONS, Heard, say
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn


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
    """An answer that calls a tool, goes on talking, and tells the result when it arrives."""
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
