"""The counts that all servers on a database share; in SQLite and in a real PostgreSQL."""

import asyncio
import secrets
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from vision_agent.live.sessions import shared_counts
from vision_agent.live.sessions.database import Database
from vision_agent.live.sessions.shared_counts import SharedCounts

DAY = 20_000
NOON_S = DAY * 86_400 + 43_200.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a database that other tests keep busy the time to answer; one test shortens it."""
    monkeypatch.setattr(shared_counts, "ANSWERS_WITHIN_S", 60.0)
    monkeypatch.setattr(shared_counts, "BUSY_S", 30.0)


@asynccontextmanager
async def servers(url: str, number: int, now_s: list[float]):
    database = Database(url, app_name="tests")
    await database.open()
    await database.close()
    every = [SharedCounts(url, lambda: now_s[0]) for _ in range(number)]
    try:
        yield every
    finally:
        for each in every:
            await each.close()


async def test_a_token_is_used_as_often_as_it_says_by_all_servers_at_once(url):
    token = secrets.token_hex(8)

    def use(counts: SharedCounts, count: int = 1):
        return counts.use_token(token, count, most=5, expires_at_s=NOON_S + 60)

    async with servers(url, 4, now_s := [NOON_S]) as every:
        assert not await every[0].has_used(token)
        taken = await asyncio.gather(*(use(counts) for counts in every for _ in range(3)))
        assert sorted(taken) == [False] * 7 + [True] * 5
        assert await every[3].has_used(token)
        assert await every[0].give_back(token)
        assert await use(every[1], 2) is False
        assert await use(every[1])
        assert await every[0].use_token("more", 2, most=1, expires_at_s=NOON_S) is False
        now_s[0] += 2 * shared_counts.TIDY_EVERY_S
        assert await every[2].use_token("other" + token, 1, most=1, expires_at_s=NOON_S + 86_400)
        assert not await every[0].has_used(token)
        assert [counts.errors for counts in every] == [0] * 4


async def test_what_servers_add_to_a_day_at_once_is_added_up_and_the_day_before_is_forgotten(url):
    ann, bob, nobody = (secrets.token_hex(8) for _ in range(3))
    async with servers(url, 3, now_s := [NOON_S]) as every:
        more = {ann: (10.0, 0.25), bob: (1.0, 0.0)}
        await asyncio.gather(*(counts.add_use(DAY, more) for counts in every for _ in range(2)))
        used = await every[0].add_use(DAY, {ann: (5.0, 0.5)})
        assert used == {ann: (65.0, 2.0)}
        assert await every[1].used(DAY, [ann, bob, nobody]) == used | {bob: (6.0, 0.0)}
        assert await every[1].used(DAY + 1, [ann, bob]) == {}
        now_s[0] += 2 * 86_400
        assert await every[2].add_use(DAY + 2, {}) == {}
        assert await every[0].used(DAY, [ann, bob]) == {}
        assert [counts.errors for counts in every] == [0] * 3


async def test_a_database_that_hangs_is_waited_for_once_and_said_once(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(shared_counts, "BUSY_S", 0.05)
    file = tmp_path / "sessions.db"
    async with servers(f"sqlite:///{file}", 1, [NOON_S]) as (counts,):
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for _ in range(3):
                assert await counts.add_use(DAY, {"ann": (1.0, 1.0)}) is None
                assert await counts.use_token("a", 1, most=1, expires_at_s=NOON_S) is None
            assert counts.errors == 1
            monkeypatch.setattr(counts, "_away_until_s", 0.0)
            assert await counts.give_back("a") is None
        assert counts.errors == 2
        monkeypatch.setattr(counts, "_away_until_s", 0.0)
        assert await counts.add_use(DAY, {"ann": (1.0, 1.0)}) == {"ann": (1.0, 1.0)}
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 2
    assert "database is locked" in said[0]
    assert "counts again" in said[1]


async def test_a_file_that_was_replaced_is_found_again(tmp_path):
    file = tmp_path / "sessions.db"
    url = f"sqlite:///{file}"
    async with servers(url, 1, [NOON_S]) as (counts,):
        assert await counts.use_token("a", 1, most=1, expires_at_s=NOON_S)
        for each in tmp_path.glob("sessions.db*"):
            each.unlink()
        async with servers(url, 0, [NOON_S]):
            assert await counts.use_token("a", 1, most=1, expires_at_s=NOON_S + 9)
            assert counts.errors == 0
