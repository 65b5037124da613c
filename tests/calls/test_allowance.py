"""The daily use of a user and an address, and how many calls and offers a user may have."""

import math

import pytest

from tests.conftest import serving
from tests.server.ingress.application import application, offered
from tests.support.dialling import Dialled
from tests.support.messages import notice, state
from tests.support.scenarios import SILENT
from vision_agent.calls import allowance
from vision_agent.calls.allowance import DAY_S, Allowance, DailyLimits, DailyUse
from vision_agent.calls.verdicts import EndsSoon

NOON_S = 20_000 * DAY_S + DAY_S / 2


def call(*of: tuple[DailyUse, str], now_s: float = NOON_S) -> Allowance:
    return Allowance(of, lambda: now_s)


def test_the_minutes_of_all_calls_of_one_count_together_and_the_caller_is_warned_once():
    use = DailyUse(DailyLimits(minutes=10), "your")
    one, other, anothers = call((use, "ann")), call((use, "ann")), call((use, "bob"))
    for each in (one, other, anothers):
        assert each.check(0, 60) == []
    assert other.check(299, 60) == anothers.check(598, 1) == []
    (soon,) = one.check(245, 60)
    assert (soon.about, soon.left_s) == ("allowance", 56)
    assert one.check(246, 60) == []
    assert one.check(301, 60)[0].reason == "your 10 minutes of today are used up"
    assert other.problem
    assert anothers.problem is None


def test_what_calls_cost_ends_them_and_the_one_that_is_used_up_first_counts():
    user = DailyUse(DailyLimits(cost=0.5), "your")
    address = DailyUse(DailyLimits(minutes=1), "your address's")
    one = call((user, "ann"), (address, "192.0.2.1"))
    one.charge(0.3)
    assert one.check(0, 0) == []
    one.charge(0.2)
    assert one.check(1, 0)[0].reason == "what your calls may cost in a day is used up"
    other = call((user, "bob"), (address, "192.0.2.1"))
    other.check(0, 0)
    assert other.check(60, 0)[0].reason == "your address's 1 minutes of today are used up"


def test_at_midnight_everything_is_there_again():
    use = DailyUse(DailyLimits(minutes=1, cost=1), "your")
    late = call((use, "ann"), now_s=NOON_S)
    late.check(0, 0)
    late.check(60, 0)
    late.charge(1)
    assert late.problem
    assert late.renewed_in_s == DAY_S / 2
    assert call((use, "ann"), now_s=NOON_S + DAY_S / 2).problem is None


def test_without_limits_and_for_unknown_callers_nothing_is_counted():
    use, without = DailyUse(DailyLimits(minutes=1), "your"), DailyUse(DailyLimits(), "your")
    for one in (call((use, "")), call((without, "ann"))):
        one.check(0, 60)
        one.charge(1e9)
        assert one.check(1e9, 60) == []
    assert not use._used
    assert not without._used
    assert use.left_s("", NOON_S) == math.inf


def test_many_made_up_users_take_bounded_room(monkeypatch):
    monkeypatch.setattr(allowance, "MAX_KEYS", 100)
    use = DailyUse(DailyLimits(minutes=1), "your")
    for number in range(1_000):
        use.spend(str(number), NOON_S, seconds=1)
    assert len(use._used) == 100


def test_a_warning_comes_at_once_where_little_is_left():
    use = DailyUse(DailyLimits(minutes=10), "your")
    use.spend("ann", NOON_S, seconds=590)
    (soon,) = call((use, "ann")).check(0, 60)
    assert isinstance(soon, EndsSoon)
    assert soon.left_s == 10


async def test_one_user_has_so_many_calls_and_offers_from_whatever_address():
    ann, bob = {"X-Remote-User": "ann"}, {"X-Remote-User": "bob"}
    settings = {"user_header": "X-Remote-User", "trusted_proxies": "192.0.2.0/24"}
    async with (
        application(calls_per_user=1, offers_per_minute_per_user=3, **settings) as client,
        client("192.0.2.1") as one,
        client("192.0.2.2") as other,
        offered() as body,
    ):
        assert (await one.post("/api/offer", json=body, headers=ann)).status_code == 200
        for reason in ("as many as one user may have",) * 2 + (
            "Too many offers have come from you",
        ):
            refused = await other.post("/api/offer", json=body, headers=ann)
            assert (refused.status_code, reason in refused.json()["error"]) == (429, True)
            assert int(refused.headers["retry-after"]) > 0
        assert (await other.post("/api/offer", json=body, headers=bob)).status_code == 200


async def test_a_call_ends_in_words_when_the_day_is_used_up_also_for_the_next_server(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("VISION_AGENT_DAILY_MINUTES_PER_ADDRESS", "0.05")
    options = ("--scenario", str(SILENT), "--session-db", f"sqlite:///{tmp_path}/sessions.db")
    async with serving(*options) as server:
        caller = Dialled(server.url)
        await caller.connect()
        warning = await caller.wait_for(lambda m: notice(m, "allowance"))
        assert "nearly used up" in warning["data"]["text"]
        error = await caller.wait_for(lambda m: m["type"] == "error")
        assert "minutes of today are used up." in error["data"]["error"]
        assert error["data"]["fatal"]
        ended = await caller.wait_for(lambda m: state(m) == "ended")
        assert "0.05 minutes of today are used up" in ended["data"]["reason"]
        await caller.peer.close()
        with pytest.raises(Exception, match="429"):
            await Dialled(server.url).connect()
    async with serving(*options) as server:
        with pytest.raises(Exception, match="429"):
            await Dialled(server.url).connect()
