"""A user's use of today counts in every server on the same database, and after a restart."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from vision_agent.calls import shared_days
from vision_agent.calls.allowance import DAY_S, MAX_KEYS, DailyLimits, DailyUse
from vision_agent.calls.shared_days import SharedDays
from vision_agent.live.sessions.database import Database
from vision_agent.live.sessions.shared_counts import SharedCounts

NOON_S = 20_000 * DAY_S + DAY_S / 2


@pytest.fixture
async def url(tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db"
    database = Database(url, app_name="tests")
    await database.open()
    await database.close()
    return url


@asynccontextmanager
async def server(url: str, now_s: float = NOON_S):
    counts = SharedCounts(url, lambda: now_s)
    use = DailyUse(DailyLimits(minutes=10, cost=1), "your")
    days = SharedDays(counts, {"user": use, "address": DailyUse(DailyLimits(), "")}, lambda: now_s)
    try:
        yield use, days
        await days.close()
    finally:
        await counts.close()


async def test_servers_learn_from_each_other_what_a_user_has_used(url):
    async with server(url) as (one, of_one), server(url) as (other, of_other):
        one.spend("ann", NOON_S, seconds=400, cost=0.25)
        other.spend("ann", NOON_S, seconds=100)
        await of_one.write()
        await of_other.recall({"user": "ann", "address": "192.0.2.1"})
        # Use that is not written yet counts as well, but only once.
        assert other.left_s("ann", NOON_S) == 100
        await of_other.write()
        assert other.left_s("ann", NOON_S) == 100
        assert one.left_s("ann", NOON_S) == 200
        one.spend("ann", NOON_S, cost=0.75)
        await of_one.write()
        assert one.left_s("ann", NOON_S) == 100
        assert one.used_up("ann", NOON_S) == "what your calls may cost in a day is used up"
        one.spend("bob", NOON_S, seconds=600)
    async with server(url) as (again, of_again):
        assert again.used_up("ann", NOON_S) is None
        for user in ("ann", "bob", ""):
            await of_again.recall({"user": user, "address": ""})
        assert again.used_up("ann", NOON_S) is not None
        assert again.used_up("bob", NOON_S) == "your 10 minutes of today are used up"
    async with server(url, NOON_S + DAY_S) as (tomorrow, of_tomorrow):
        await of_tomorrow.recall({"user": "ann", "address": ""})
        assert tomorrow.used_up("ann", NOON_S + DAY_S) is None


async def test_what_was_used_before_midnight_belongs_to_the_day_before(url):
    async with server(url, NOON_S + DAY_S) as (use, days):
        use.spend("ann", NOON_S, seconds=500)
        use.spend("ann", NOON_S + DAY_S, seconds=60)
        await days.write()
        assert use.left_s("ann", NOON_S + DAY_S) == 540
        assert not use.news
        await days.recall({"user": "ann", "address": ""})
        assert use.left_s("ann", NOON_S + DAY_S) == 540


async def test_what_the_database_does_not_take_counts_here_and_is_written_later(url, monkeypatch):
    async with server(url) as (use, days):
        with monkeypatch.context() as patch:
            patch.setattr(SharedCounts, "add_use", lambda *_: asyncio.sleep(0, None))
            patch.setattr(SharedCounts, "used", lambda *_: asyncio.sleep(0, None))
            for number in range(3):
                use.spend("ann", NOON_S, seconds=100)
                use.spend(f"u{number}", NOON_S, seconds=1)
                await days.write()
                await days.recall({"user": "ann", "address": ""})
            assert use.left_s("ann", NOON_S) == 300
        await days.write()
        assert use.left_s("ann", NOON_S) == 300
        for number in range(MAX_KEYS + 10):
            use.spend(f"many{number}", NOON_S, seconds=1)
        assert len(use.news) == MAX_KEYS
        use.news.clear()
    async with server(url) as (use, days):
        await days.recall({"user": "ann", "address": ""})
        assert use.left_s("ann", NOON_S) == 300


async def test_it_is_written_by_itself(url, monkeypatch):
    monkeypatch.setattr(shared_days, "WRITE_EVERY_S", 0.01)
    async with server(url) as (use, days):
        days.start()
        use.spend("ann", NOON_S, seconds=100)
        async with asyncio.timeout(20):
            while use.news:
                await asyncio.sleep(0.01)
