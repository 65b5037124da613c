"""Whole conversations with a language model, over a real socket, with google-genai's client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.genai import live, types

from tests.local.live_clients import MODEL_2, studio_client
from tests.local.live_talk import Heard, say, type_text
from tests.local.scripted_engine import ScriptedEngine
from tests.support.chat_server import Call, ChatServer, Step, Think, Usage, chat_server
from tests.support.llama_server import llama_server
from tests.support.waiting import until
from vision_agent.local.brain.brain_engine import BrainEngine
from vision_agent.local.contract import Transcript
from vision_agent.local.server import serve
from vision_agent.own_models import Brain

SPOKEN = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}}


@pytest.fixture
async def brain() -> AsyncIterator[ChatServer]:
    async with chat_server() as server:
        yield server


@asynccontextmanager
async def talking(
    url: str,
    model: str = "local",
    ears: ScriptedEngine | None = None,
    *,
    timeout_s: float = 60.0,
    **config: Any,
) -> AsyncIterator[tuple[live.AsyncSession, Heard]]:
    """A session that the language model at ``url`` answers."""
    engine = BrainEngine(Brain(url, timeout_s=timeout_s), ears or ScriptedEngine())
    server = await serve("127.0.0.1", 0, engine, translates=True)
    try:
        wanted = types.LiveConnectConfig(**SPOKEN | config)
        async with (
            studio_client(server).aio.live.connect(model=model, config=wanted) as session,
            Heard(session) as heard,
        ):
            yield session, heard
    finally:
        await server.close()
        await engine.close()


def declared(name: str, **more: Any) -> list[types.Tool]:
    return [types.Tool(function_declarations=[types.FunctionDeclaration(name=name, **more)])]


def sent(brain: ChatServer, request: int = -1) -> list[str]:
    """The messages of a request except the instruction, as ``role: text``."""
    lines = []
    for message in brain.requests[request]["messages"][1:]:
        content = message["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        calls = [call["function"]["name"] for call in message.get("tool_calls", ())]
        lines.append(f"{message['role']}: {text.splitlines()[0] if text else ''}{calls or ''}")
    return lines


async def test_what_is_written_is_said_and_shown(brain: ChatServer) -> None:
    text = "It is **red**.\n- One thing\n- and another.\n```\ncode\n```\nThat is all."
    brain.answers = lambda request: [Think("Hm."), text, Usage()]
    ears = ScriptedEngine()
    async with talking(brain.url, ears=ears, system_instruction="Be kind.") as (session, heard):
        await type_text(session, "what is it?")
        usage = await heard.until("usage_metadata")
        assert heard.captions == text
        await type_text(session, "and?")
        await heard.until("turn_complete", 2)
    assert [said for said, *_ in ears.spoken[:4]] == [
        "It is red.",
        "One thing",
        "and another.",
        "That is all.",
    ]
    assert usage.usage_metadata is not None
    assert usage.usage_metadata.prompt_token_count == 40
    assert usage.usage_metadata.response_token_count == 5
    assert usage.usage_metadata.thoughts_token_count == 2
    assert brain.requests[0]["messages"][0]["content"].startswith("Be kind.")
    assert [line.split(":")[0] for line in sent(brain)] == ["user", "assistant", "user"]


@pytest.mark.parametrize("model", ["local", MODEL_2])
async def test_cutting_in_closes_the_request_and_what_was_not_played_was_not_said(
    brain: ChatServer, model: str
) -> None:
    ears = ScriptedEngine()
    ears.hears.append(Transcript("stop"))
    first = "This is said. "
    long = "And this sentence is so long that nobody has heard all of its words in a second. " * 3

    def answers(request: dict[str, Any]) -> list[Step]:
        asked = str(request["messages"][-1]["content"])
        return ["Yes?"] if "stop" in asked else [first + long, asyncio.Event()]

    brain.answers = answers
    async with talking(brain.url, model, ears) as (session, heard):
        await type_text(session, "tell me")
        await heard.until_true(lambda: "nobody" in heard.captions)
        await asyncio.sleep(1)
        await say(session, chunks=model == MODEL_2)
        await heard.until("interrupted")
        await until(lambda: brain.cut_off == 1)
        await heard.until_true(lambda: "Yes?" in heard.captions)
    user, model_line, stop = sent(brain)
    assert (user, stop) == ("user: tell me", "user: stop")
    kept = model_line.removeprefix("assistant: ")
    assert (first + long).startswith(kept)
    # Little more than a second was played, at 60 ms for each letter.
    assert 5 < len(kept) < len(first) + 60
    assert len(kept) < len(heard.captions.removesuffix("Yes?"))


async def test_functions_are_run_and_their_results_come_back(brain: ChatServer) -> None:
    def answers(request: dict[str, Any]) -> list[Step]:
        match sum(message["role"] == "tool" for message in request["messages"]):
            case 0:
                return ["Let me see.", Call("get_time", '{"zone": "UTC"}')]
            case 1:
                return [Call("get_time", '{"zone": "CET"}')]
        return ["It is noon."]

    brain.answers = answers
    schema = types.Schema(type="OBJECT", properties={"zone": types.Schema(type="STRING")})
    async with talking(brain.url, tools=declared("get_time", parameters=schema)) as (
        session,
        heard,
    ):
        await type_text(session, "time?")
        for round_ in (1, 2):
            message = await heard.until("tool_call", round_)
            assert message.tool_call is not None
            [call] = message.tool_call.function_calls or ()
            response = types.FunctionResponse(
                id=call.id, name=call.name, response={"zone": (call.args or {})["zone"]}
            )
            await session.send_tool_response(function_responses=[response])
        await heard.until_true(lambda: "noon" in heard.captions)
        await heard.until("turn_complete", 3)
        await type_text(session, "thanks")
        await heard.until("turn_complete", 4)
    assert sent(brain, 3) == [
        "user: time?",
        "assistant: Let me see.['get_time']",
        'tool: {"zone": "UTC"}',
        "assistant: ['get_time']",
        'tool: {"zone": "CET"}',
        "assistant: It is noon.",
        "user: thanks",
    ]
    function = brain.requests[0]["tools"][0]["function"]
    assert function["parameters"]["properties"] == {"zone": {"type": "string"}}


async def test_a_function_in_the_background_is_told_of_when_it_has_ended(
    brain: ChatServer,
) -> None:
    def answers(request: dict[str, Any]) -> list[Step]:
        newest = str(request["messages"][-1]["content"])
        if "has now given" in newest:
            return ["It found it."]
        return ["Here I am."] if "hello" in newest else [Call("search"), "I am searching."]

    brain.answers = answers
    tools = declared("search", behavior="NON_BLOCKING")
    async with talking(brain.url, tools=tools) as (session, heard):
        await type_text(session, "search")
        message = await heard.until("tool_call")
        assert message.tool_call is not None
        [call] = message.tool_call.function_calls or ()
        await heard.until("turn_complete")
        await type_text(session, "hello")
        await heard.until("turn_complete", 2)
        response = types.FunctionResponse(id=call.id, name="search", response={"found": 1})
        await session.send_tool_response(function_responses=[response])
        await heard.until("turn_complete", 3)
    assert heard.captions == "I am searching.Here I am.It found it."
    assert sent(brain)[-1].startswith("user: [notice] The function search has now given")


async def test_a_model_that_translates_is_asked_for_the_translation_alone(
    brain: ChatServer,
) -> None:
    brain.answers = lambda request: ["Guten Morgen."]
    ears = ScriptedEngine()
    ears.hears.append(Transcript("good morning"))
    to_german = types.TranslationConfig(target_language_code="de")
    model = "gemini-3.5-live-translate-preview"
    async with talking(brain.url, model, ears, translation_config=to_german) as (session, heard):
        await say(session)
        await heard.until("generation_complete")
    assert heard.captions == "Guten Morgen."
    system, user = brain.requests[0]["messages"]
    assert "language de" in system["content"]
    assert user["content"] == "good morning"


async def test_a_resumed_session_knows_its_calls(brain: ChatServer) -> None:
    brain.answers = lambda request: ["Noon." if "tool" in str(request) else "Hm."]
    call = types.FunctionCall(id="1", name="get_time", args={"zone": "UTC"})
    result = types.FunctionResponse(id="1", name="get_time", response={"result": "noon"})
    history = [
        types.Content(role="user", parts=[types.Part(text="time?")]),
        types.Content(role="model", parts=[types.Part(function_call=call)]),
        types.Content(role="user", parts=[types.Part(function_response=result)]),
    ]
    async with talking(brain.url) as (session, heard):
        await session.send_client_content(turns=history, turn_complete=True)
        await heard.until("turn_complete")
    assert heard.captions == "Noon."
    assert sent(brain) == [
        "user: time?",
        "assistant: ['get_time']",
        f"tool: {json.dumps({'result': 'noon'})}",
    ]


@pytest.mark.timeout(300)
async def test_llama_cpp_answers_and_is_left_when_the_caller_cuts_in() -> None:
    """A small model on llama.cpp's own server; what it says is not judged."""
    ears = ScriptedEngine()
    ears.hears.append(Transcript("stop"))
    async with (
        llama_server() as llama,
        talking(llama.url, ears=ears, timeout_s=150, tools=declared("get_time")) as (
            session,
            heard,
        ),
    ):
        await type_text(session, "Say hello.")
        usage = await heard.until("usage_metadata", within_s=150)
        assert usage.usage_metadata is not None
        prompt = usage.usage_metadata.prompt_token_count or 0
        assert prompt > 50
        assert heard.captions.strip()
        assert ears.spoken
        before = len(heard.captions)
        await type_text(session, "Tell me a very long story about a king, a queen and a dragon.")
        await heard.until_true(lambda: len(heard.captions) > before, within_s=150)
        story = llama.at_work()
        await say(session)
        await heard.until("interrupted")
        await until(lambda: not (story.keys() & llama.at_work().keys()), 60)
        before = len(heard.captions)
        await heard.until_true(lambda: len(heard.captions) > before, within_s=150)
        # The new requests contain the conversation so far.
        assert all(read > prompt for read in llama.at_work().values())
