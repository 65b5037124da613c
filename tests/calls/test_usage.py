"""The cost of a call: in the log, in the metrics, and in the caller's messages."""

import logging

import pytest
import pytest_asyncio
from prometheus_client import Counter

from tests.calls.recorded_talk import played
from tests.support.recorded_service import recorded_service
from tests.support.recorded_sessions import facts_of, recorded_sessions
from vision_agent.agents.model_choice import ModelChoice
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.usage import CallUsage
from vision_agent.live.events import AgentAudio, AgentTurnComplete, TokenUsage
from vision_agent.live.pricing import read_prices
from vision_agent.live.token_counts import TokenCounts

GEMINI = ModelChoice("gemini", "models/gemini-3.8-live", "Gemini gemini-3.8-live")
LOCAL = ModelChoice("local", "local", "local Live API")
TURN = TokenCounts({("prompt", "text"): 1000, ("prompt", "image"): 272, ("response", "audio"): 100})
COST = (1000 * 0.75 + 272 * 1 + 100 * 12) / 1e6


def usage_of(choice: ModelChoice) -> tuple[CallUsage, Metrics]:
    metrics = Metrics()
    return CallUsage(metrics, read_prices(), choice), metrics


def sample(counter: Counter, **labels: str) -> float:
    """What a counter shows under these labels; 0 if it shows nothing."""
    samples = [each for metric in counter.collect() for each in metric.samples]
    return sum(
        each.value for each in samples if each.name.endswith("_total") and each.labels == labels
    )


def test_the_caller_is_shown_after_each_turn_what_the_call_has_cost_so_far():
    usage, _ = usage_of(GEMINI)
    assert usage.take(AgentAudio(b"")) is None
    assert usage.take(TokenUsage("", TURN)) is None
    assert usage.take(AgentTurnComplete()).data() == {
        "kind": "usage",
        "models": ["gemini-3.8-live"],
        "tokens": {"prompt": {"image": 272, "text": 1000}, "response": {"audio": 100}},
        "estimate": pytest.approx(COST),
        "currency": "USD",
        "prices_of": read_prices().as_of,
        "note": "",
    }
    assert usage.take(AgentTurnComplete()) is None
    usage.take(TokenUsage("gemini-3.8-live", TURN))
    assert usage.take(AgentTurnComplete()).estimate == pytest.approx(2 * COST)


def test_the_metrics_count_tokens_by_modality_and_the_estimate():
    usage, metrics = usage_of(GEMINI)
    usage.take(TokenUsage("", TURN))
    assert sample(metrics.tokens, direction="in") == 0
    usage.take(AgentTurnComplete())
    assert sample(metrics.tokens, direction="in") == 1272
    assert sample(metrics.tokens, direction="out") == 100
    labels = {"model": "gemini-3.8-live", "kind": "prompt", "modality": "image"}
    assert sample(metrics.model_tokens, **labels) == 272
    assert sample(metrics.estimated_cost, currency="USD") == pytest.approx(COST)
    usage.take(TokenUsage("a-model-of-tomorrow", TURN))
    usage.take(AgentTurnComplete())
    assert sample(metrics.unpriced_tokens) == 1372
    assert sample(metrics.estimated_cost, currency="USD") == pytest.approx(COST)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (GEMINI, f"Estimated cost: {COST:.4f} USD (list prices of {read_prices().as_of})."),
        (LOCAL, "The local engine costs nothing. Estimated cost: 0 USD."),
        (ModelChoice("custom", "mine", "mine"), "No price known for mine."),
    ],
)
def test_the_log_says_at_the_end_what_the_call_has_cost(caplog, choice, words):
    usage, metrics = usage_of(choice)
    usage.take(TokenUsage("", TURN))  # the caller hangs up before the turn is over
    with caplog.at_level(logging.INFO):
        usage.call_ended("c4ll", "the caller hung up")
    (line,) = caplog.messages
    assert line.startswith("Call c4ll ended after 0 s: the caller hung up. ")
    assert line.endswith(f"Tokens: 1272 in (272 image, 1000 text), 100 out (100 audio). {words}")
    assert sample(metrics.tokens, direction="in") == 1272


def test_a_call_without_tokens_says_that(caplog):
    with caplog.at_level(logging.INFO):
        usage_of(GEMINI)[0].call_ended("c4ll", "the peer is gone")
    assert caplog.messages[0].endswith("No tokens were reported.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service():
    async with recorded_service() as service:
        yield service


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "session",
    [each for each in recorded_sessions() if "image" in each.name or "gateway_gemini" in each.name],
    ids=lambda session: session.name,
)
async def test_a_recorded_sessions_tokens_are_counted_once(service, session):
    talk = await played(service, session)
    usage, metrics = usage_of(ModelChoice("gemini", session.model, session.model))
    for event in talk.events:
        usage.take(event)
    ends = [m["usageMetadata"] for m in session.sent_by("server") if "usageMetadata" in m]
    images = sum(
        detail.get("tokenCount", 0)
        for end in ends
        for detail in end.get("promptTokensDetails", ())
        if detail["modality"] == "IMAGE"
    )
    spent = sum(sample(metrics.tokens, direction=direction) for direction in ("in", "out"))
    assert spent == facts_of(session).tokens
    labels = {"model": session.model, "kind": "prompt", "modality": "image"}
    assert sample(metrics.model_tokens, **labels) == images


def test_each_turn_is_charged_to_the_caller_once():
    charged: list[float] = []
    usage = CallUsage(Metrics(), read_prices(), GEMINI, charged.append)
    usage.take(TokenUsage("", TURN))
    usage.take(AgentTurnComplete())
    usage.call_ended("1", "the caller hung up")
    assert charged == [pytest.approx(COST)]
