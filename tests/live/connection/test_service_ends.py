"""Conversations over connections that a service leaves mute, refuses or ends in its own words."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.live.connection.scripted_service import (
    Connection,
    handle,
    scripted_service,
)
from tests.live.connection.talking import talking_to
from vision_agent.live.connection.timeouts import Timeouts

MODEL_3 = "gemini-3.8-live"
QUICK = Timeouts(setup_s=5, stall_s=0.4, budget_s=2.5)


@asynccontextmanager
async def talking_to_service(script, timeouts=QUICK, model=MODEL_3):
    async with (
        scripted_service(script) as service,
        talking_to(service, model, timeouts) as talk,
    ):
        yield service, talk


EMPTY = [
    {},
    {"serverContent": {}},
    {"usageMetadata": {"promptTokenCount": 9}},
    {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "0.160s"}},
    handle("h"),
]


async def test_a_mute_service_is_asked_twice_and_then_the_caller_is_told(caplog):
    """Whatever it sends instead of an answer, all the time."""

    async def mute(connection: Connection) -> None:
        await connection.asked()
        while connection.number < 2 or connection.questions < 2:
            await connection.send(*EMPTY)
            await asyncio.sleep(0.05)
        await connection.answer("Here I am.")

    async with talking_to_service(mute) as (service, talk):
        talk.live_queue.text("one")
        await talk.until(lambda: talk.told)
        assert len(service.connections) == 2
        assert talk.failure is None
        talk.live_queue.text("two")
        await talk.until(lambda: "Here I am." in talk.said)
    assert talk.told == [
        "The model did not answer, though it was asked twice. Ask again in a moment."
    ]
    assert len(service.connections) == 2
    assert caplog.text.count("has not answered") == 1


@pytest.mark.parametrize("first", [[], EMPTY])
async def test_a_service_that_crashes_on_each_question_is_given_up_in_words(first):
    async def crash(connection: Connection) -> None:
        await connection.send(handle(f"h{connection.number}"))
        await connection.asked()
        await connection.send(*first)
        await connection.close(1011, "Internal error encountered.")

    async with talking_to_service(crash) as (service, talk):
        talk.live_queue.text("one")
        await talk.until(lambda: talk.failure)
    assert "Internal error encountered" in str(talk.failure)
    assert talk.failure.kind == "service"
    assert 3 <= len(service.connections) <= 10
    pauses = [b - a for a, b in zip(service.closed_s, service.opened_s[1:], strict=False)]
    assert max(pauses[2:]) > 0.2


async def test_a_service_that_works_again_is_used_again():
    async def recovering(connection: Connection) -> None:
        await connection.asked()
        if connection.number in (1, 2):
            await connection.close(1011, "Internal error encountered.")
        await connection.answer("I am back.")

    async with talking_to_service(recovering) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
    assert talk.said == "I am back."
    assert len(service.connections) == 3
    assert talk.failure is None


@pytest.mark.parametrize(
    ("reason", "kind", "advice"),
    [
        ("Token has been used too many times", "token", "Create a new one"),
        ("auth token has expired", "token", "Create a new one"),
        ("You exceeded your current quota, please check your plan and bi", "quota", "Wait, or"),
        ("API key expired. Please renew the API key.", "key", "GOOGLE_API_KEY"),
        ("models/x is not found for API version v1beta, or is not supp", "model", "gemini-3.8"),
    ],
)
@pytest.mark.parametrize("code", [1008, 1011])
@pytest.mark.parametrize("when", ["at once", "later"])
async def test_what_no_retry_helps_ends_the_call_at_once_in_words(reason, kind, advice, code, when):
    async def refusing(connection: Connection) -> None:
        if when == "later":
            await connection.asked()
            await connection.answer("Yes.")
            await connection.asked(2)
        await connection.close(code, reason)

    async with talking_to_service(refusing) as (service, talk):
        talk.live_queue.text("one")
        if when == "later":
            await talk.turns(1)
            talk.live_queue.text("two")
        await talk.until(lambda: talk.failure)
    assert talk.failure.kind == kind
    assert advice in str(talk.failure)
    assert reason.rstrip(".") in str(talk.failure)
    assert len(service.connections) == 1
