"""A call that is too long, or in which nothing happens, ends; with a warning first."""

from tests.conftest import serving
from tests.support.dialling import Dialled
from tests.support.messages import notice, said, state
from tests.support.scenarios import TONES
from vision_agent.calls.allowance import Allowance
from vision_agent.calls.limits import CallLimits, spoken_duration
from vision_agent.calls.options import TimeLimits
from vision_agent.calls.verdicts import EndsNow, EndsSoon, GoesOn


def limits(**options: float) -> CallLimits:
    given = {"max_call_s": 0, "idle_s": 0, "warn_s": 60, **options}
    return CallLimits(100.0, TimeLimits(**given), Allowance())


def test_without_limits_nothing_ever_ends():
    assert limits().check(1e9) == []


def test_a_long_call_is_warned_once_and_then_ends():
    call = limits(max_call_s=600)
    assert call.check(639) == []
    (warning,) = call.check(641)
    assert isinstance(warning, EndsSoon)
    assert (warning.about, warning.left_s) == ("max_call", 59)
    assert call.check(650) == []
    assert call.check(700) == [EndsNow("the call has reached its limit of 10 minutes")]


def test_a_long_call_ends_though_it_is_busy():
    call = limits(max_call_s=600)
    call.busy()
    assert isinstance(call.check(700)[0], EndsNow)


def test_a_quiet_call_is_warned_and_ends():
    call = limits(idle_s=300)
    call.busy()
    assert call.check(5_000) == []
    call.quiet(5_000)
    assert call.check(5_239) == []
    assert [type(v) for v in call.check(5_241)] == [EndsSoon]
    assert call.check(5_300) == [EndsNow("nothing was said for 5 minutes")]


def test_who_speaks_after_the_warning_stays_and_is_told_so():
    call = limits(idle_s=300)
    call.check(345)
    call.busy()
    assert call.check(346) == [GoesOn("idle")]
    assert call.check(400) == []
    call.quiet(400)
    assert [type(v) for v in call.check(641)] == [EndsSoon]


def test_a_short_limit_is_warned_of_at_its_half():
    call = limits(max_call_s=10)
    assert call.check(104) == []
    assert [type(v) for v in call.check(105)] == [EndsSoon]


def test_durations_are_said_as_people_say_them():
    assert [spoken_duration(s) for s in (60, 600, 3600, 7200, 90, 2.5)] == [
        "1 minute",
        "10 minutes",
        "1 hour",
        "2 hours",
        "90 s",
        "2.5 s",
    ]


async def test_an_idle_call_is_warned_stays_when_something_is_typed_and_ends_with_a_reason(
    monkeypatch,
):
    monkeypatch.setenv("VISION_AGENT_IDLE_S", "6")
    async with serving("--scenario", str(TONES)) as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            warning = await caller.wait_for(lambda m: notice(m, "idle"))
            assert 0 <= warning["data"]["left_s"] <= 3
            caller.send("send-text", {"content": "hello"})
            await caller.wait_for(lambda m: m.get("data", {}).get("kind") == "notice_over")
            await caller.wait_for(lambda m: bool(said(m)))
            ended = await caller.wait_for(lambda m: state(m) == "ended")
            assert ended["data"]["reason"] == "nothing was said for 6 s"
            assert sum(notice(m, "idle") for m in caller.messages) == 2
        finally:
            await caller.peer.close()


async def test_a_call_that_has_lasted_long_enough_ends_with_a_reason(monkeypatch):
    monkeypatch.setenv("VISION_AGENT_MAX_CALL_S", "4")
    async with serving("--scenario", str(TONES)) as server:
        caller = Dialled(server.url)
        await caller.connect()
        try:
            warning = await caller.wait_for(lambda m: notice(m, "max_call"))
            assert "4 s" in warning["data"]["text"]
            ended = await caller.wait_for(lambda m: state(m) == "ended")
            assert ended["data"]["reason"] == "the call has reached its limit of 4 s"
        finally:
            await caller.peer.close()
