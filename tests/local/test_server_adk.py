"""ADK's own runner holds whole conversations with the server, in both dialects."""

from __future__ import annotations

import pytest
from google.adk.agents import Agent
from google.adk.events import Event
from google.genai import types

from tests.local.adk_clients import calling, gemini
from tests.local.live_clients import MODEL_2, MODEL_3
from tests.local.scripted_engine import ScriptedEngine
from tests.support.local_connections import tear_off
from tests.support.waiting import until
from vision_agent.local.contract import Say, ToolRequest, Transcript, Turn
from vision_agent.local.server import LocalServer

BOTH = pytest.mark.parametrize("model", [MODEL_2, MODEL_3])


# Plain ADK never runs a tool of 2.5 on AI Studio, whose turn stays open.
RUNS_TOOLS = pytest.mark.parametrize("model", ["local", MODEL_3])
HANDLES_AT_THE_END = pytest.mark.parametrize("model", ["local", MODEL_2])


def is_sound(event: Event) -> bool:
    parts = (event.content.parts if event.content else None) or []
    return any(part.inline_data for part in parts)


def has_handle(event: Event) -> bool:
    update = event.live_session_resumption_update
    return bool(update and update.new_handle)


@BOTH
async def test_a_spoken_question_about_a_frame(
    server: LocalServer, engine: ScriptedEngine, model: str
) -> None:
    engine.hears.append(Transcript("what do you see", True))
    engine.answers = lambda turn: [Say(f"{len(turn.frames)} picture.")]
    async with calling(
        Agent(name="guide", model=gemini(server, model), instruction="Help.")
    ) as call:
        call.queue.send_realtime(types.Blob(data=b"jpeg", mime_type="image/jpeg"))
        call.say()
        await call.until(lambda event: event.turn_complete)
        handle = await call.until(has_handle)
        usage = await call.until(lambda event: event.usage_metadata)
    assert any(is_sound(event) for event in call.events)
    assert call.final("input_transcription") == ["what do you see"]
    assert call.final("output_transcription") == ["1 picture."]
    assert handle.live_session_resumption_update is not None
    assert handle.live_session_resumption_update.new_handle
    assert usage.usage_metadata is not None
    assert usage.usage_metadata.candidates_token_count == 15
    assert engine.turns[0].instruction.startswith("Help.")


@BOTH
async def test_speech_interrupts_the_answer(
    server: LocalServer, engine: ScriptedEngine, model: str
) -> None:
    engine.hears.append(Transcript("stop", True))
    engine.answers = lambda turn: [Say("Yes?" if turn.text == "stop" else "x" * 200)]
    async with calling(
        Agent(name="guide", model=gemini(server, model), instruction="Help.")
    ) as call:
        call.type("tell me")
        await call.until(is_sound)
        call.say()
        await call.until(lambda event: event.interrupted)
        await call.until(lambda event: event.turn_complete, 2)
    assert call.final("output_transcription")[-1] == "Yes?"


@RUNS_TOOLS
async def test_a_tool_of_the_agents_is_run_and_its_result_spoken(
    server: LocalServer, engine: ScriptedEngine, model: str
) -> None:
    def get_time(place: str) -> dict[str, str]:
        """The time in a place."""
        return {"time": f"noon in {place}"}

    def answers(turn: Turn) -> list[Say | ToolRequest]:
        if turn.tool_results:
            return [Say(f"It is {turn.tool_results[0]['response']['time']}.")]
        return [Say("A moment."), ToolRequest("get_time", {"place": "Graz"})]

    engine.answers = answers
    async with calling(Agent(name="guide", model=gemini(server, model), tools=[get_time])) as call:
        call.type("what time is it")
        await call.until(
            lambda event: (
                event.output_transcription
                and event.output_transcription.finished
                and "noon" in event.output_transcription.text
            )
        )
        await call.until(lambda event: event.turn_complete)
        calls = [name.name for event in call.events for name in event.get_function_calls()]
    assert calls == ["get_time"]
    assert "It is noon in Graz." in "".join(call.final("output_transcription"))
    [tool] = engine.turns[0].tools
    assert tool["name"] == "get_time"


@HANDLES_AT_THE_END
async def test_a_call_goes_on_with_its_history_after_the_connection_was_lost(
    server: LocalServer, engine: ScriptedEngine, model: str
) -> None:
    async with calling(
        Agent(name="guide", model=gemini(server, model), instruction="Help.")
    ) as call:
        call.type("one")
        await call.until(has_handle)
        # The client gets 1006, and ADK resumes.
        tear_off(server)
        await until(lambda: len(engine.ears_asked) >= 2)
        call.type("two")
        await call.until(has_handle, 2)
    assert [turn.text for turn in engine.turns] == ["one", "two"]
    assert list(engine.turns[1].history) == [("user", "one"), ("model", "You said one.")]


@BOTH
async def test_a_replayed_history_is_answered(
    server: LocalServer, engine: ScriptedEngine, model: str
) -> None:
    agent = Agent(name="guide", model=gemini(server, model))
    said_before = [("user", "hello"), ("guide", "Hi."), ("user", "what is this")]
    async with calling(agent, said_before) as call:
        await call.until(lambda event: event.turn_complete)
    [turn] = engine.turns
    assert turn.text == "what is this"
    assert list(turn.history) == [("user", "hello"), ("model", "Hi.")]


@RUNS_TOOLS
async def test_another_agent_takes_over_and_answers_the_same_question(
    server: LocalServer, engine: ScriptedEngine, model: str
) -> None:
    engine.hears.append(Transcript("what time is it", True))

    def answers(turn: Turn) -> list[Say | ToolRequest]:
        if turn.instruction.startswith("Know the time."):
            return [Say("It is noon.")]
        return [ToolRequest("transfer_to_agent", {"agent_name": "clock"})]

    engine.answers = answers
    clock = Agent(
        name="clock",
        description="Knows the time.",
        model=gemini(server, model),
        instruction="Know the time.",
    )
    guide = Agent(
        name="guide", model=gemini(server, model), instruction="Help.", sub_agents=[clock]
    )
    async with calling(guide) as call:
        call.say()
        await call.until(lambda event: event.turn_complete and event.author == "clock")
    assert engine.turns[-1].text == "what time is it"
    assert call.final("output_transcription") == ["It is noon."]
