"""Calls leave nothing behind, however they end."""

import asyncio
import contextlib

import pytest

from tests.conftest import serving
from tests.support.dialling import Dialled, killable
from tests.support.footprint import Footprint, settled
from tests.support.scenarios import SILENT, TONES

CALLS = 100
GROWTH_MB = 10


async def back_to(server, before: Footprint) -> Footprint:
    """Wait until the footprint is no larger than before, for ten seconds at most; returns it.

    Within that time, sockets that are still closing go away, such as that of this request, and the
    memory of the last calls is collected and returned. A leak stays.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while True:
                now = await settled(server)
                if (
                    now.tasks <= before.tasks
                    and now.threads <= before.threads
                    and now.files <= before.files
                    and now.rss_mb - before.rss_mb < GROWTH_MB
                ):
                    return now
                await asyncio.sleep(0.2)
    return await settled(server)


async def polite(url: str) -> None:
    caller = Dialled(url)
    await caller.connect()
    await caller.hang_up()


async def answered(url: str) -> None:
    """A whole conversation: a typed question, the answer's words, goodbye."""
    caller = Dialled(url)
    await caller.connect()
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(lambda m: m["type"] == "bot-transcription")
    await caller.hang_up()


async def closes_the_page(url: str) -> None:
    caller = Dialled(url)
    await caller.connect()
    caller.send("disconnect-bot", {})
    await caller.peer.close()


async def never_takes_the_answer(url: str) -> None:
    caller = Dialled(url)
    await caller.offer()
    await caller.peer.close()


async def is_killed(url: str) -> None:
    process = await killable(url)
    process.kill()
    await process.wait()


ROUND = (
    polite,
    never_takes_the_answer,
    answered,
    closes_the_page,
    polite,
    is_killed,
    polite,
    never_takes_the_answer,
    answered,
    closes_the_page,
)


@pytest.mark.timeout(600)
async def test_a_hundred_calls_half_of_them_torn_off_leave_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("VISION_AGENT_CONNECT_TIMEOUT_S", "1")
    monkeypatch.setenv("VISION_AGENT_VANISHED_AFTER_S", "2")
    monkeypatch.setenv("VISION_AGENT_OFFERS_PER_MINUTE", "0")  # they come faster than people do
    database = f"sqlite:///{tmp_path}/sessions.db"
    async with serving("--session-db", database, "--scenario", str(TONES)) as server:
        for way in ROUND:
            await way(server.url)
        after_ten = await settled(server)
        for number in range(len(ROUND), CALLS):
            await ROUND[number % len(ROUND)](server.url)
        at_the_end = await back_to(server, after_ten)
    assert at_the_end.tasks <= after_ten.tasks
    assert at_the_end.threads <= after_ten.threads
    assert at_the_end.files <= after_ten.files
    assert at_the_end.rss_mb - after_ten.rss_mb < GROWTH_MB


async def test_a_caller_that_is_killed_is_noticed_and_its_slot_and_model_are_free_again(
    monkeypatch,
):
    monkeypatch.setenv("VISION_AGENT_VANISHED_AFTER_S", "2")
    async with serving("--max-calls", "1", "--scenario", str(SILENT)) as server:
        await is_killed(server.url)
        assert (await settled(server)).calls == 0
        await polite(server.url)
