"""Conversations over connections that a service leaves silent, refuses, or ends with a reason."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.live.connection.scripted_service import (
    TURN_ENDS,
    Connection,
    ScriptedService,
    go_away,
    handle,
    says,
    scripted_service,
)
from tests.live.connection.talking import talking_to
from tests.support.waiting import until
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
    """Messages without content do not count as an answer, however many it sends."""

    async def mute(connection: Connection) -> None:
        await connection.asked()
        while connection.number < 2 or connection.questions < 2:
            await connection.send(*EMPTY)
            await asyncio.sleep(0.05)
        await connection.answer("Here I am.")

    # The answer to "two" comes at once, but a busy machine may be slow to pass it on.
    timeouts = Timeouts(setup_s=5, stall_s=1.5)
    async with talking_to_service(mute, timeouts) as (service, talk):
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


async def test_a_model_that_only_says_that_it_will_answer_is_asked_twice_too():
    async def thinks_for_ever(connection: Connection) -> None:
        await connection.asked()
        paused = {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}
        await connection.send(says("One moment."), {"serverContent": paused})

    timeouts = Timeouts(stall_s=0.4, thinking_s=0.8)
    async with talking_to_service(thinks_for_ever, timeouts) as (service, talk):
        talk.live_queue.text("one")
        await talk.until(lambda: talk.told)
    assert len(service.connections) == 2
    assert talk.failure is None


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
    assert 2 <= len(service.connections) <= 10


async def test_messages_of_kinds_that_nobody_knows_yet_cost_no_connection(caplog):
    async def newer(connection: Connection) -> None:
        await connection.asked()
        await connection.send(*[{"somethingNew": {"n": n}} for n in range(8)])
        await connection.answer("All the same.")

    async with talking_to_service(newer) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
    assert talk.said == "All the same."
    assert len(service.connections) == 1
    assert caplog.text.count("of a kind not known here") == 1


async def test_a_voice_that_cannot_be_played_is_told_once_and_its_words_are_shown():
    async def speaks_ogg(connection: Connection) -> None:
        await connection.asked()
        for words in ("All ", "the same."):
            message = says(words)
            (part,) = message["serverContent"]["modelTurn"]["parts"]
            part["inlineData"]["mimeType"] = "audio/ogg"
            await connection.send(message)
        await connection.send(TURN_ENDS)

    async with talking_to_service(speaks_ogg) as (_, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
    assert talk.said == "All the same."
    assert talk.heard_bytes == 0
    assert talk.told == ["The model's voice can't be played: it is sent as audio/ogg, not as PCM."]


async def test_a_service_whose_connections_break_after_each_answer_is_never_given_up():
    """As on a bad network: the answer is whole, but its turn ends only after it was played."""

    async def breaking(connection: Connection) -> None:
        await connection.asked()
        await connection.send(says(f"Answer {connection.number}."))
        await connection.send({"serverContent": {"generationComplete": True}})
        await asyncio.sleep(0.6)
        await connection.close(1011, "Internal error encountered.")

    async with talking_to_service(breaking, Timeouts(budget_s=1)) as (service, talk):
        for turn in range(1, 5):
            talk.live_queue.text("and now")
            await talk.turns(turn)
    assert talk.failure is None
    assert len(service.connections) >= 4


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
@pytest.mark.parametrize(("code", "when"), [(1008, "at once"), (1011, "later")])
async def test_what_no_retry_helps_ends_the_call_at_once_in_words(reason, kind, advice, code, when):
    async def refusing(connection: Connection) -> None:
        if when == "later":
            await connection.asked()
            await connection.answer("Yes.")
            await connection.asked(2)
        await connection.close(code, reason)

    async with talking_to_service(refusing, Timeouts()) as (service, talk):
        talk.live_queue.text("one")
        if when == "later":
            await talk.turns(1)
            talk.live_queue.text("two")
        await talk.until(lambda: talk.failure)
    assert talk.failure.kind == kind
    assert advice in str(talk.failure)
    assert reason.rstrip(".") in str(talk.failure)
    assert len(service.connections) == 1


async def answering(connection: Connection) -> None:
    """Answer every question with its number; the only handle follows the setup, as on 3.8."""
    await connection.send(handle(f"h{connection.number}"))
    for number in range(1, 100):
        await connection.asked(number)
        await connection.answer(f"Answer {connection.number}.{number}.")


async def test_a_connection_whose_handle_covers_nothing_is_left_between_turns_and_all_is_told():
    async with talking_to_service(answering, Timeouts()) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        await service.connections[0].send(go_away("50s"))
        await until(lambda: len(service.connections) == 2)
        talk.live_queue.text("two")
        await talk.turns(2)
    [_, second] = service.connections
    assert second.handle is None
    assert "one" in second.words
    assert "Answer 1.1." in second.words
    assert talk.said == "Answer 1.1. Answer 2.1."
    assert (talk.losses, talk.failure) == ([], None)
    assert service.most_at_once == 1


async def test_a_handle_of_a_turns_start_is_used_and_the_session_is_told_that_turn():
    async def at_turn_start(connection: Connection) -> None:
        for number in range(1, 100):
            await connection.asked(number)
            await connection.send(handle(f"h{connection.number}.{number}"))
            await connection.answer(f"Answer {connection.number}.{number}.")

    async with talking_to_service(at_turn_start, Timeouts()) as (service, talk):
        for turn, text in enumerate(["one", "two"], start=1):
            talk.live_queue.text(text)
            await talk.turns(turn)
        await service.connections[0].send(go_away("50s"))
        await until(lambda: len(service.connections) == 2)
        second = service.connections[1]
        await until(lambda: second.received)
        assert second.questions == 0
        talk.live_queue.text("three")
        await talk.turns(3)
    assert second.handle == "h1.2"
    assert "Answer 1.1." not in second.words
    assert "two" in second.words
    assert "Answer 1.2." in second.words
    assert talk.said == "Answer 1.1. Answer 1.2. Answer 2.1."
    assert talk.losses == []


async def test_no_answer_is_cut_off_by_an_end_that_is_announced_in_the_middle_of_it():
    may_end = asyncio.Event()

    async def slowly(connection: Connection) -> None:
        await connection.asked()
        await connection.send(says("First half."), go_away("50s"))
        await may_end.wait()
        await connection.send(says(" Second half."), TURN_ENDS, handle("after"))

    async with talking_to_service(slowly, Timeouts()) as (service, talk):
        talk.live_queue.text("one")
        await talk.until(lambda: "First half." in talk.said)
        await asyncio.sleep(0.6)  # the connection is checked twice in this time
        assert len(service.closed_s) == 0
        may_end.set()
        await until(lambda: len(service.connections) == 2)
    assert talk.said == "First half. Second half."
    assert service.connections[1].handle == "after"
    assert talk.losses == []


async def test_a_new_connection_waits_until_a_slow_service_has_closed_the_old_one():
    """A question that is asked meanwhile is answered on the new connection."""
    async with talking_to_service(answering, Timeouts(close_s=60)) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        first = service.connections[0]
        service.withholds = lambda: first.closes
        await first.send(handle("newest"), go_away("50s"))
        await until(lambda: first.closes)
        talk.live_queue.text("two")
        await asyncio.sleep(0.3)
        assert len(service.opened_s) == 1
        service.withholds = lambda: False
        await talk.turns(2)
    assert talk.said == "Answer 1.1. Answer 2.1."
    assert service.connections[1].handle == "newest"
    assert service.most_at_once == 1
    assert talk.losses == []


async def goes_deaf_and_is_asked_again(service: ScriptedService, talk) -> None:
    """Nothing reaches the service until its connection has ended; the next one works."""
    service.withholds = lambda: True
    await until(lambda: service.closed_s)
    service.withholds = lambda: False
    service.delay_s = 0.0
    talk.live_queue.text("two")
    await talk.turns(2)


async def test_a_service_that_never_acknowledges_a_close_is_dropped():
    async with talking_to_service(answering, Timeouts(close_s=0.4)) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        first = service.connections[0]
        service.withholds = lambda: first.closes
        await first.send(handle("newest"), go_away("50s"))
        await until(lambda: first.closes)
        await goes_deaf_and_is_asked_again(service, talk)
    assert talk.said == "Answer 1.1. Answer 2.1."
    assert service.most_at_once == 1


async def test_pongs_that_come_late_do_not_end_a_connection_and_none_at_all_do():
    timeouts = Timeouts(ping_every_s=0.1, pong_s=1.2, close_s=0.2)
    async with talking_to_service(answering, timeouts) as (service, talk):
        await until(lambda: service.connections)
        service.delay_s = 0.7
        await asyncio.sleep(1.5)  # two pongs
        talk.live_queue.text("one")
        await talk.turns(1)
        assert len(service.opened_s) == 1
        await goes_deaf_and_is_asked_again(service, talk)
    assert talk.said == "Answer 1.1. Answer 2.1."
    assert talk.failure is None


SAID_GO_AWAY = (
    "Connection aborted because the client failed to close the connection after receiving a "
    "GoAway signal once the session durat"
)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1008, SAID_GO_AWAY),
        (1011, "Deadline expired before operation could complete."),
        (1000, "The operation was cancelled."),
    ],
)
async def test_a_connection_that_the_service_ends_in_its_time_is_resumed(code, reason):
    async with talking_to_service(answering, Timeouts()) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        first = service.connections[0]
        await first.send(handle("good"))
        await first.close(code, reason)
        talk.live_queue.text("two")
        await talk.turns(2)
    assert service.connections[1].handle == "good"
    assert talk.said == "Answer 1.1. Answer 2.1."


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1008, "BidiGenerateContent session not found"),
        (1008, "Requested entity was not found."),
        (1007, "Invalid session handle"),
    ],
)
async def test_a_handle_that_the_service_does_not_know_is_tried_once(code, reason):
    async def forgetful(connection: Connection) -> None:
        if connection.handle:
            await connection.close(code, reason)
        await answering(connection)

    async with talking_to_service(forgetful, Timeouts()) as (service, talk):
        talk.live_queue.text("one")
        await talk.turns(1)
        first = service.connections[0]
        await first.send(handle("forgotten"))
        await first.close(1011, "Internal error encountered.")
        await until(lambda: len(service.connections) == 3)
        talk.live_queue.text("two")
        await talk.turns(2)
    assert [c.handle for c in service.connections] == [None, "forgotten", None]
    assert "Answer 1.1." in service.connections[2].words
    assert talk.said == "Answer 1.1. Answer 3.1."
    assert talk.failure is None
