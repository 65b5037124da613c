"""The models that judge and play callers, reached over real sockets with their real clients."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.chat_server import Break, Status, Step, Think, chat_server, error
from tests.support.generate_content_server import error as gemini_error
from tests.support.generate_content_server import generate_content_server
from vision_agent.evaluation.model import EvaluatorModel, ModelFailure, Prompt
from vision_agent.evaluation.open_model import open_model

EVENTS = {"Content-Type": "text/event-stream"}
JPEG = b"\xff\xd8\xff\xe0 a picture"


@asynccontextmanager
async def opened(**named: Any) -> AsyncIterator[EvaluatorModel]:
    model = open_model(**({"environ": {}} | named))
    try:
        yield model
    finally:
        await model.close()


async def failure_of(model: EvaluatorModel, *prompts: Prompt) -> ModelFailure:
    with pytest.raises(ModelFailure) as caught:
        await model.answer("Be brief.", prompts or [Prompt("Hello?")])
    return caught.value


async def test_an_openai_server_is_shown_the_conversation_and_its_thoughts_are_left_out() -> None:
    async with chat_server() as server, opened(url=server.url) as model:
        server.answers = lambda request: [Think("hm"), "<think>or not</think>", "Yes, ", "it is."]
        asked = [Prompt("Is it?", frames=(JPEG,)), Prompt("What?", "model"), Prompt("Well?")]
        assert await model.answer("Be brief.", asked) == "Yes, it is."
        [request] = server.requests
    roles = [message["role"] for message in request["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    text, shown = request["messages"][1]["content"]
    assert text["text"] == "Is it?"
    assert shown["image_url"]["url"].endswith(base64.b64encode(JPEG).decode())
    assert request["temperature"] == 0
    assert request["model"] == "tiny"


async def test_a_server_that_refuses_a_temperature_is_asked_without_one() -> None:
    def answers(request: dict[str, Any]) -> list[Step]:
        if "temperature" in request:
            return [error(400, "Unsupported value: 'temperature' does not support 0.")]
        return ["Yes."]

    async with chat_server() as server, opened(url=server.url) as model:
        server.answers = answers
        assert await model.answer("", [Prompt("Is it?")]) == "Yes."
        assert await model.answer("", [Prompt("Is it?")]) == "Yes."
        assert len(server.requests) == 3


async def test_a_model_that_never_ends_is_cut_off() -> None:
    async with chat_server() as server, opened(url=server.url) as model:
        server.answers = lambda request: ["and so on "] * 5000
        assert len(await model.answer("", [Prompt("Is it?")])) == 4000


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (error(404, "model 'tiny' not found"), "was not found: 404: model 'tiny' not found"),
        (error(401, "bad key sk-secret"), "does not accept the key: 401: bad key …"),
        (error(500, "out of memory"), "failed: 500: out of memory"),
        (error(400, "exceeds the context length"), "can't take in a call of this length"),
        (Status(200, "<h1>hello</h1>", {"Content-Type": "text/html"}), "does not speak OpenAI's"),
        (Status(200, f"data: {'[' * 200_000}\n\n", EVENTS), "broke its answer off"),
        (Break(), "broke its answer off"),
    ],
)
async def test_what_a_server_can_do_wrong_is_said_in_words(step: Step, words: str) -> None:
    async with (
        chat_server() as server,
        opened(url=server.url, model="tiny", key="sk-secret") as model,
    ):
        server.answers = lambda request: ["Ye", step] if isinstance(step, Break) else [step]
        said = str(await failure_of(model))
        assert words in said
        assert said.startswith(f"The model tiny at {server.url[7:-3]} ")
        assert server.headers[0]["authorization"] == "Bearer sk-secret"


async def test_pictures_that_are_refused_are_told_from_other_faults() -> None:
    async with chat_server() as server, opened(url=server.url) as model:
        server.answers = lambda request: [error(400, "image input is not supported")]
        failure = await failure_of(model, Prompt("Is it?", frames=(JPEG,)))
        assert failure.is_about_frames
        assert "takes no pictures" in str(failure)


async def test_an_address_where_nothing_listens_is_said_in_words() -> None:
    async with opened(url="http://127.0.0.1:9/v1", model="tiny") as model:
        said = str(await failure_of(model))
    assert said == "The model tiny at 127.0.0.1:9 can't be reached: nothing listens there"


async def test_gemini_is_asked_with_google_genai(monkeypatch: pytest.MonkeyPatch) -> None:
    async with generate_content_server() as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        monkeypatch.setenv("GOOGLE_API_KEY", "the-key")
        async with opened(gemini="gemini-flash") as model:
            server.answers = lambda request: "Yes, it is."
            asked = [Prompt("Is it?", frames=(JPEG,)), Prompt("What?", "model"), Prompt("Well?")]
            assert await model.answer("Be brief.", asked) == "Yes, it is."
    [request] = server.requests
    assert server.models == ["gemini-flash"]
    assert server.keys == ["the-key"]
    assert [content["role"] for content in request["contents"]] == ["user", "model", "user"]
    text, shown = request["contents"][0]["parts"]
    assert text["text"] == "Is it?"
    assert base64.urlsafe_b64decode(shown["inlineData"]["data"]) == JPEG
    assert request["systemInstruction"]["parts"][0]["text"] == "Be brief."
    assert request["generationConfig"]["temperature"] == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (gemini_error(404, "models/x is not found", "NOT_FOUND"), "was not found: 404 models/x"),
        (gemini_error(403, "the-key is leaked", "PERMISSION_DENIED"), "the key: 403 … is leaked"),
        (gemini_error(500, "Internal", "INTERNAL"), "failed: 500 Internal"),
        ((200, {"promptFeedback": {"blockReason": "SAFETY"}}), "gave no answer (SAFETY)."),
        ((200, {"candidates": [{"finishReason": "MAX_TOKENS"}]}), "gave no answer (MAX_TOKENS)."),
        ((200, {"candidates": [{"content": {"role": 5}}]}), "sent no answer that can be read"),
    ],
)
async def test_what_gemini_can_do_wrong_is_said_in_words(
    answer: tuple[int, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with generate_content_server() as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        async with opened(gemini="gemini-flash", key="the-key") as model:
            server.answers = lambda request: answer
            said = str(await failure_of(model))
    assert said.startswith("The model gemini-flash ")
    assert words in said


async def test_gemini_that_is_not_there_or_has_no_key_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ModelFailure, match="no key for gemini-flash: set GOOGLE_API_KEY"):
        open_model(gemini="gemini-flash", environ={})
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    async with opened(gemini="gemini-flash", key="k") as model:
        assert "can't be reached" in str(await failure_of(model))


def test_a_model_that_is_named_wrongly_is_refused_at_once() -> None:
    with pytest.raises(ModelFailure, match="either the url"):
        open_model(environ={})
    with pytest.raises(ModelFailure, match="judge's url can't be used"):
        open_model(url="http://[", environ={})
    with pytest.raises(ModelFailure, match="without user, password"):
        open_model(url="http://me:secret@host/v1", environ={})
