import asyncio
import logging

import pytest

from vision_agent.rtc import failures
from vision_agent.rtc.failures import Failures, report


@pytest.fixture
def fatal() -> list[str]:
    ended: list[str] = []
    failures.current.set(Failures(ended.append))
    return ended


async def test_a_failure_is_logged_once_with_its_cause_and_counted_each_time(fatal, caplog):
    before = failures.counts["A packet could not be handled"]
    for _ in range(5):
        report("A packet could not be handled", LookupError("the cause"))
    [record] = caplog.records
    assert "the cause" in repr(record.exc_info)
    assert failures.counts["A packet could not be handled"] == before + 5
    assert fatal == []


async def test_a_fatal_failure_ends_the_peer_in_whose_task_it_happens(fatal):
    async def failing() -> None:
        report("A task of the connection failed", ValueError("x"), fatal=True)

    await asyncio.create_task(failing())
    assert fatal == ["A task of the connection failed"]


async def test_what_fails_while_a_connection_is_closed_is_no_failure(fatal, caplog):
    failures.current.get().closing = True
    with caplog.at_level(logging.INFO):
        report("A packet could not be handled", LookupError("the cause"), fatal=True)
    assert not caplog.records
    assert fatal == []
