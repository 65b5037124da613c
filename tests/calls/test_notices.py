import asyncio

from tests.rtc.calling import until
from vision_agent.calls.notices import MAX_CHARS, Moment, Notices, cut, worded
from vision_agent.live.live_queue import MAX_TEXT_CHARS


def test_a_long_notice_is_cut_and_marked_and_the_model_takes_it():
    told = worded(cut("word " * 10_000))
    assert "…" in told
    assert len(told) < MAX_CHARS + 500 < MAX_TEXT_CHARS


async def test_a_notice_that_cannot_be_told_is_logged_and_the_next_one_is_told(monkeypatch, caplog):
    monkeypatch.setattr("vision_agent.calls.gap.QUIET_S", 0.0)
    monkeypatch.setattr("vision_agent.calls.notices.LOOK_AGAIN_S", 0.001)
    told: list[str] = []

    def tell(notice: str) -> None:
        if notice == "bad":
            raise ValueError("not now")
        told.append(notice)

    notices = Notices(lambda: Moment(caller_speaks=False, agent_busy=False), tell)
    notices.put("bad")
    notices.put("good")
    notices.put("  ")
    await until(lambda: told)
    await asyncio.sleep(0)
    await notices.close()
    assert told == ["good"]
    assert caplog.text.count("could not be told to the agent") == 1
