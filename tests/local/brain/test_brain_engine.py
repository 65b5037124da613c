"""The answers of a language model through the real client, from a server that a test scripts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import cv2
import numpy as np
import pytest

from tests.local.scripted_engine import ScriptedEngine
from tests.support.chat_server import (
    Break,
    Call,
    ChatServer,
    Chunk,
    Sleep,
    Status,
    Step,
    Think,
    Usage,
    chat_server,
    error,
)
from tests.support.waiting import until
from vision_agent.local.brain.brain_engine import MAX_ROUNDS, BrainEngine
from vision_agent.local.contract import (
    AnswerPart,
    AnswerTokens,
    Called,
    FunctionCall,
    Returned,
    Said,
    Say,
    SeenFrame,
    Thought,
    ToolRequest,
    Transcript,
    Turn,
)
from vision_agent.own_models import Brain

TOOLS = [{"name": "look"}, {"name": "timer", "parameters": {"type": "OBJECT"}}]


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with chat_server() as server:
        yield server


@asynccontextmanager
async def engine_of(server: ChatServer, **options: Any) -> AsyncIterator[BrainEngine]:
    engine = BrainEngine(Brain(server.url, **options), ScriptedEngine())
    try:
        yield engine
    finally:
        await engine.close()


async def parts(server: ChatServer, turn: Turn, **options: Any) -> list[AnswerPart]:
    async with engine_of(server, **options) as engine:
        return [part async for part in engine.answer(turn)]


async def words(server: ChatServer, turn: Turn | None = None, **options: Any) -> str:
    turn = turn or Turn(Transcript("hello"))
    said = await parts(server, turn, **options)
    return "".join(part.text for part in said if isinstance(part, Say))


def steps(*steps: Step) -> Callable[[dict[str, Any]], tuple[Step, ...]]:
    return lambda request: steps


def in_turn(*answers: tuple[Step, ...]) -> Callable[[dict[str, Any]], tuple[Step, ...]]:
    """Give one answer after the other, and then repeat the last one."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def frame(width: int = 1280, height: int = 720) -> SeenFrame:
    pixels = np.full((height, width, 3), 128, np.uint8)
    return SeenFrame(cv2.imencode(".jpg", pixels)[1].tobytes(), 0)


async def test_sentences_are_said_as_they_come(server: ChatServer) -> None:
    more = asyncio.Event()
    server.answers = steps("It is **red**. And", more, " blue.", Usage())
    async with engine_of(server) as engine:
        answer = engine.answer(Turn(Transcript("what colour?")))
        assert await anext(answer) == Thought("")
        assert await anext(answer) == Say("It is **red**.", "It is red.")
        more.set()
        assert [part async for part in answer] == [
            AnswerTokens(40, 7, 2),
            Say(" And blue.", "And blue."),
        ]
    assert server.requests[0]["model"] == "tiny"


async def test_thoughts_are_not_said(server: ChatServer) -> None:
    server.answers = steps(Think("Hm."), "<think>Aha</think>", "\n\nYes.")
    said = await parts(server, Turn(Transcript("yes?")))
    assert [part for part in said if isinstance(part, Say)] == [Say("Yes.")]
    assert "".join(part.text for part in said if isinstance(part, Thought)) == "Hm.Aha"


async def test_leaving_the_answer_closes_the_request(server: ChatServer) -> None:
    server.answers = steps("First. Second", asyncio.Event())
    async with engine_of(server) as engine:
        answer = engine.answer(Turn(Transcript("tell me")))
        async for part in answer:
            if isinstance(part, Say):
                break
        await answer.aclose()
        await until(lambda: server.cut_off == 1)


async def test_nothing_is_sent_that_nobody_named(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID"):
        monkeypatch.setenv(f"OPENAI_{name}", "a-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-secret: a-secret")
    await words(server)
    await words(server, key="named")
    first, second = server.headers
    assert "a-secret" not in str(server.headers)
    assert not [name for name in first if "stainless" in name or "openai" in name]
    assert "authorization" not in first
    assert second["authorization"] == "Bearer named"


async def test_functions_are_called_together(server: ChatServer) -> None:
    server.answers = steps(
        "Let me see.", Call("look", id="a"), Call("timer", '{"seconds": 5}', id="b", index=1)
    )
    said = await parts(server, Turn(Transcript("look"), tools=TOOLS))
    assert said[1:] == [
        Say("Let me see."),
        ToolRequest("look"),
        ToolRequest("timer", {"seconds": 5}),
    ]
    assert [tool["function"]["name"] for tool in server.requests[0]["tools"]] == ["look", "timer"]


async def test_a_wrong_call_is_explained_to_the_model_once(server: ChatServer) -> None:
    server.answers = in_turn((Call("fly"),), (Call("look", "not json"),))
    said = await words(server, Turn(Transcript("look"), tools=TOOLS))
    assert "did not call it properly" in said
    second = server.requests[-1]
    assert second["messages"][-1]["role"] == "tool"
    assert "no function 'fly'" in second["messages"][-1]["content"]
    server.answers = in_turn((Call("fly"),), (Call("look"),))
    assert ToolRequest("look") in await parts(server, Turn(Transcript("look"), tools=TOOLS))


async def test_calls_do_not_go_on_for_ever(server: ChatServer) -> None:
    call = FunctionCall("1", "look", {})
    so_far = [Called((call,)), Returned("1", "look", {})] * MAX_ROUNDS
    server.answers = steps(Call("look"))
    said = await words(server, Turn(Transcript("look"), tools=TOOLS, steps=so_far))
    assert "came to no answer" in said
    assert server.requests[-1]["tool_choice"] == "none"


async def test_the_newest_frames_are_shown(server: ChatServer) -> None:
    frames = [frame(), frame(), frame(64, 48)]
    turn = Turn(Transcript("what is it?"), frames=frames)
    await words(server, turn, images=2, image_px=320)
    _, first, second = server.requests[0]["messages"][-1]["content"]
    assert first["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert len(first["image_url"]["url"]) > len(second["image_url"]["url"])
    await words(server, turn, images=0)
    assert "no eyes" in server.requests[-1]["messages"][0]["content"]
    assert isinstance(server.requests[-1]["messages"][-1]["content"], str)


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "This model is no multimodal model."),
        error(500, "image input is not supported - hint: you may need to provide the mmproj"),
        error(422, "Unexpected type of content."),
    ],
)
async def test_a_model_that_takes_no_pictures_is_asked_without(
    server: ChatServer, refusal: Status
) -> None:
    def answer(request: dict[str, Any]) -> list[Step]:
        shown = isinstance(request["messages"][-1]["content"], list)
        return [refusal] if shown else ["It is there."]

    server.answers = answer
    async with engine_of(server) as engine:
        turn = Turn(Transcript("where is it?"), frames=[frame()])
        for said in ("I can't see your camera: my language model takes no pictures.", ""):
            heard = [part.text async for part in engine.answer(turn) if isinstance(part, Say)]
            assert heard == [*filter(None, [said]), "It is there."]
    assert len(server.requests) == 3
    assert "no eyes" in server.requests[-1]["messages"][0]["content"]


async def test_a_failure_is_not_taken_for_blindness(server: ChatServer) -> None:
    server.answers = in_turn((error(500, "out of memory"),), ("Yes.",))
    async with engine_of(server) as engine:
        turn = Turn(Transcript("where is it?"), frames=[frame()])
        for expected in ("failed", "Yes."):
            heard = [part.text async for part in engine.answer(turn) if isinstance(part, Say)]
            assert expected in "".join(heard)
    assert isinstance(server.requests[-1]["messages"][-1]["content"], list)


async def test_a_history_that_is_too_long_is_halved(server: ChatServer) -> None:
    def answer(request: dict[str, Any]) -> list[Step]:
        if len(str(request["messages"])) > 9_000:
            return [error(400, "the request exceeds the available context size, try increasing it")]
        return ["Yes."]

    server.answers = answer
    record = [Said("user" if n % 2 == 0 else "model", "word " * 80) for n in range(60)]
    assert await words(server, Turn(Transcript("and?"), record=record)) == "Yes."


async def test_words_not_meant_for_it_are_left_alone(server: ChatServer) -> None:
    server.answers = steps("[silent]")
    aside = Turn(Transcript("pass me the salt, dear"), asks_proactive=True)
    assert await words(server, aside) == ""
    assert "[silent]" in server.requests[0]["messages"][0]["content"]
    assert await words(server, Turn(Transcript(""))) == ""
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (error(404, "model 'tiny' not found"), "has no model tiny"),
        (Status(404, "Not Found"), "no chat interface"),
        (error(401, "Invalid key"), "does not accept my key"),
        (error(403, "Forbidden"), "does not accept my key"),
        (error(429, "You exceeded your current quota."), "quota"),
        (error(429, "Slow down.", Retry_After="60"), "is busy"),
        (error(400, "bad"), "refused my request"),
        (error(500, "boom"), "failed"),
        (Status(302, "", {"Location": "http://127.0.0.1:1/v1"}), "sends me elsewhere"),
        (Status(200, "<html>", {"Content-Type": "text/html"}), "does not speak OpenAI's"),
        (Status(200, {"choices": []}), "does not speak OpenAI's"),
        ("", "an empty answer"),
        (Think("and no answer"), "an empty answer"),
        (Break(), "broke off"),
        (Chunk("text"), "broke off"),
        (Chunk([1]), "broke off"),
        (Chunk({"choices": [1]}), "broke off"),
        (Chunk({"choices": [{"delta": {"tool_calls": "text"}}]}), "broke off"),
        (Chunk({"choices": [{"delta": {"content": 5}}]}), "an empty answer"),
        (asyncio.Event(), "has not answered"),
    ],
)
async def test_a_failure_is_said_in_words_and_logged_once(
    server: ChatServer, caplog: pytest.LogCaptureFixture, fault: Step, said: str
) -> None:
    server.answers = in_turn((fault,), ("Fine again.",))
    caplog.set_level(logging.WARNING)
    patience_s = 1.0 if isinstance(fault, asyncio.Event) else 30.0
    async with engine_of(server, timeout_s=patience_s) as engine:
        turn = Turn(Transcript("hello"))
        heard = [part.text async for part in engine.answer(turn) if isinstance(part, Say)]
        assert said in "".join(heard)
        assert len([each for each in caplog.records if "brain" in each.getMessage()]) == 1
        heard = [part.text async for part in engine.answer(turn) if isinstance(part, Say)]
        assert heard == ["Fine again."]


@pytest.mark.parametrize(
    "sent", [Status(200, "<html>", {"Content-Type": "text/html"}), Status(200, [1]), Status(200)]
)
async def test_a_server_that_lists_no_models_but_something_else(
    server: ChatServer, sent: Status
) -> None:
    server.models = sent
    assert "does not speak OpenAI's interface" in await words(server, model=None)


async def test_a_key_that_the_server_repeats_is_not_logged(
    server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = steps(error(401, "Incorrect API key provided: sk-secret."))
    assert "does not accept my key" in await words(server, key="sk-secret")
    assert "Incorrect API key" in caplog.text
    assert "sk-secret" not in caplog.text


async def test_thoughts_without_end_are_given_up(server: ChatServer) -> None:
    server.answers = steps(*[Think("Hm. "), *[Sleep(0.1)]] * 50)
    said = await words(server, timeout_s=0.4)
    assert "did not come to an end; I waited 0.8 seconds" in said


async def test_what_came_before_a_break_was_said(server: ChatServer) -> None:
    server.answers = steps("It is red. And", Break())
    said = await words(server)
    assert said.startswith("It is red.")
    assert said.endswith("broke off.")


async def test_a_busy_server_is_asked_again_when_it_says(server: ChatServer) -> None:
    busy = error(503, "Loading model", Retry_After="0.01")
    server.answers = in_turn((busy,), (busy,), ("Yes.",))
    assert await words(server) == "Yes."
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/v1", "nothing listens there"),
        ("http://nowhere.invalid/v1", "nobody knows that name"),
    ],
)
async def test_a_server_that_is_not_there(url: str, why: str) -> None:
    assert why in await words(ChatServer(url=url))


async def test_tls_where_there_is_none(server: ChatServer) -> None:
    url = server.url.replace("http:", "https:")
    assert "not safe" in await words(ChatServer(url=url))


async def test_the_only_model_is_asked_and_several_are_named_in_the_log(
    server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.models = ["a", "b"]
    assert "2 models" in await words(server)
    assert "the server has: a, b" in caplog.text
    await words(server, model="b")
    assert server.requests[-1]["model"] == "b"


async def test_a_server_that_sends_without_end_is_given_up(
    server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    endless = "data: " + "x" * 9_000_000
    stream = Status(200, endless, {"Content-Type": "text/event-stream"})
    server.answers = lambda request: [stream]
    async with engine_of(server, model="tiny") as engine:
        said = [part async for part in engine.answer(Turn(Transcript("hi")))]
    assert isinstance(said[-1], Say)
    assert "broke off" in said[-1].text
    assert "more than 8,000,000 bytes" in caplog.text
