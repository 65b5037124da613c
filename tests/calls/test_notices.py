import asyncio

from tests.support.waiting import until
from vision_agent.calls.notices import (
    MAX_CHARS,
    PATIENCE_S,
    QUIET_S,
    FloorState,
    Gap,
    Notices,
    cut,
    worded,
)
from vision_agent.live.live_queue import MAX_TEXT_CHARS


def test_a_long_notice_is_cut_and_marked_and_the_model_takes_it():
    told = worded(cut("word " * 10_000))
    assert "…" in told
    assert len(told) < MAX_CHARS + 500 < MAX_TEXT_CHARS


async def test_a_notice_that_cannot_be_told_is_logged_and_the_next_one_is_told(monkeypatch, caplog):
    monkeypatch.setattr("vision_agent.calls.notices.QUIET_S", 0.0)
    monkeypatch.setattr("vision_agent.calls.notices.LOOK_AGAIN_S", 0.001)
    told: list[str] = []

    def tell(notice: str) -> None:
        if notice == "bad":
            raise ValueError("not now")
        told.append(notice)

    notices = Notices(lambda: FloorState(caller_speaks=False, agent_busy=False), tell)
    notices.put("bad")
    notices.put("good")
    notices.put("  ")
    await until(lambda: told)
    await asyncio.sleep(0)
    await notices.close()
    assert told == ["good"]
    assert caplog.text.count("could not be told to the agent") == 1


QUIET = FloorState(caller_speaks=False, agent_busy=False)
CALLER_SPEAKS = FloorState(caller_speaks=True, agent_busy=False)
AGENT_SPEAKS = FloorState(caller_speaks=False, agent_busy=True)


def test_a_notice_waits_until_nobody_has_spoken_for_a_while():
    gap = Gap(0.0)
    assert not gap.open(0.0, QUIET)
    assert not gap.open(QUIET_S - 0.1, CALLER_SPEAKS)
    assert not gap.open(QUIET_S, QUIET)
    assert not gap.open(2 * QUIET_S - 0.1, QUIET)
    assert gap.open(2 * QUIET_S, QUIET)


def test_a_noisy_room_holds_a_notice_back_for_a_time_and_the_agents_own_speech_for_ever():
    gap = Gap(0.0)
    assert not gap.open(PATIENCE_S - QUIET_S, CALLER_SPEAKS)
    assert not gap.open(PATIENCE_S, CALLER_SPEAKS)
    assert gap.open(PATIENCE_S + QUIET_S, CALLER_SPEAKS)
    assert not gap.open(10 * PATIENCE_S, AGENT_SPEAKS)
