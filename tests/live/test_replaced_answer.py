"""Words that an agent's code puts in place of an answer are shown once, and the call continues."""

import asyncio

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins.base_plugin import BasePlugin
from google.genai import types

from tests.live.tools.talking import GOING_ON, WAITING, talking
from vision_agent.live.errors import LiveFailure
from vision_agent.live.events import AgentReplaced, AgentTurnComplete
from vision_agent.live.replaced_answer import reads_transcripts
from vision_agent.local.contract import Say, Transcript

MODELS = [WAITING[0], GOING_ON]
PUT = "I may not say that."


def look() -> str:
    """Is not called here."""
    return ""


def answer(text: str) -> LlmResponse:
    return LlmResponse(content=types.Content(role="model", parts=[types.Part(text=text)]))


def reads(response: LlmResponse) -> str:
    said = response.output_transcription
    return (said.text if said else None) or ""


def asked(request) -> str:
    return " ".join(part.text or "" for each in request.contents for part in each.parts or [])


def after(callback_context, llm_response):
    return answer(PUT) if "secret" in reads(llm_response) else None


async def later(callback_context, llm_response):
    await asyncio.sleep(0)
    return after(callback_context, llm_response)


def with_other_names(context, response):
    return after(context, response)


def nothing_at_all(callback_context, llm_response):
    return LlmResponse() if "secret" in reads(llm_response) else None


def redacts(callback_context, llm_response):
    said = llm_response.output_transcription
    if said and "secret" in (said.text or ""):
        said.text = said.text.replace("secret", "[redacted]")
    return llm_response


def before(callback_context, llm_request):
    return answer(PUT) if "mystery" in asked(llm_request) else None


class Screen(BasePlugin):
    async def before_model_callback(self, *, callback_context, llm_request):
        return before(callback_context, llm_request)

    async def after_model_callback(self, *, callback_context, llm_response):
        return after(callback_context, llm_response)


def speaks_of_secrets(turn):
    if "tell" in turn.text:
        return [Say("The word of today is secret and nobody may know it. " * 2)]
    return [Say(f"You said {turn.text}.")]


def replaced(talk) -> list[str]:
    return [event.text for event in talk.events if isinstance(event, AgentReplaced)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("callback", "put"),
    [
        (after, PUT),
        (later, PUT),
        (with_other_names, PUT),
        (nothing_at_all, ""),
        (redacts, "The word of today is [redacted]"),
    ],
)
async def test_an_answer_is_replaced_once_and_the_next_question_is_answered(model, callback, put):
    async with talking(model, look, after_model_callback=callback) as (talk, engine):
        engine.answers = speaks_of_secrets
        talk.live_queue.text("tell me")
        event = await talk.until(lambda each: isinstance(each, AgentReplaced))
        assert event.author == "tester"
        talk.live_queue.text("hello")
        await talk.said("You said hello.")
    (words,) = replaced(talk)
    assert words.startswith(put)
    assert [turn.text for turn in engine.turns] == ["tell me", "hello"]
    at = next(i for i, each in enumerate(talk.events) if isinstance(each, AgentReplaced))
    assert talk.events[at + 1] == AgentTurnComplete()
    # The new session got the replacement as history, and was not asked the question again.
    assert talk.connects == 2


@pytest.mark.parametrize("model", MODELS)
async def test_a_typed_question_that_is_turned_away_costs_no_session(model):
    async with talking(model, look, before_model_callback=before) as (talk, engine):
        engine.answers = speaks_of_secrets
        talk.live_queue.text("a mystery")
        await talk.until(lambda each: isinstance(each, AgentReplaced))
        talk.live_queue.text("hello")
        await talk.said("You said hello.")
    assert replaced(talk) == [PUT]
    assert [turn.text for turn in engine.turns] == ["hello"]
    assert talk.connects == 1


@pytest.mark.parametrize("model", MODELS)
async def test_a_spoken_question_that_is_turned_away_is_not_asked_again(model):
    plugins = [Screen(name="screen")]
    async with talking(model, look, plugins=plugins) as (talk, engine):
        engine.answers = speaks_of_secrets
        engine.hears.append(Transcript("a mystery", True))
        talk.speak()
        talk.fall_silent()
        await talk.until(lambda each: isinstance(each, AgentReplaced))
        talk.live_queue.text("hello")
        await talk.said("You said hello.")
    assert replaced(talk) == [PUT]
    assert [turn.text for turn in engine.turns] in (["a mystery", "hello"], ["hello"])


@pytest.mark.parametrize("model", MODELS)
async def test_a_callback_that_returns_what_it_was_given_replaces_nothing(model):
    def looks_on(callback_context, llm_response):
        return llm_response

    async with talking(model, look, after_model_callback=looks_on) as (talk, engine):
        engine.answers = speaks_of_secrets
        talk.live_queue.text("hello")
        await talk.said("You said hello.")
    assert replaced(talk) == []
    assert talk.connects == 1


async def test_a_callback_that_returns_something_else_ends_the_call_with_its_reason():
    def wrong(callback_context, llm_response):
        return "no"

    async def converse() -> None:
        async with talking(MODELS[0], look, after_model_callback=wrong) as (talk, _):
            talk.live_queue.text("hello")
            await talk.failed()

    with pytest.raises(LiveFailure, match=r"agent failed \(TypeError\)"):
        await converse()


def test_whether_an_agent_reads_transcripts():
    plain = LlmAgent(name="plain")
    below = LlmAgent(name="above", sub_agents=[LlmAgent(name="low", after_model_callback=after)])
    assert not reads_transcripts(plain, [BasePlugin(name="idle")])
    assert reads_transcripts(below, [])
    assert reads_transcripts(plain, [Screen(name="screen")])
