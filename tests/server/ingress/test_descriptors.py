"""A shortage of file descriptors is one line in the log, and costs one refusal."""

import asyncio
import errno
import logging
import os
import resource
import subprocess
import sys

from vision_agent.server.ingress.descriptors import (
    SAY_AGAIN_S,
    DescriptorShortage,
    log_shortage_once,
)

RAISED = """
import resource
from vision_agent.server.ingress.descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, {hard}))
assert raise_limit() == {hard}, raise_limit()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == ({hard}, {hard})
"""


def test_the_limit_is_raised_as_far_as_the_system_allows():
    hard = min(3000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    result = subprocess.run(
        [sys.executable, "-c", RAISED.format(hard=hard)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_a_shortage_is_said_once_a_minute_with_how_often_it_was():
    shortage = DescriptorShortage()
    assert "ulimit" in shortage.line(0)
    assert [shortage.line(n) for n in range(1, 40)] == [None] * 39
    assert "39 times" in shortage.line(SAY_AGAIN_S)
    assert "times" not in shortage.line(2 * SAY_AGAIN_S)


async def test_the_event_loop_logs_it_in_one_line_and_other_faults_as_ever(caplog):
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    with log_shortage_once(loop), caplog.at_level(logging.ERROR):
        for _ in range(2000):
            error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            loop.call_exception_handler({"message": "accept", "exception": error})
        loop.call_exception_handler({"message": "a bug", "exception": ValueError("seven")})
    assert loop.get_exception_handler() is before
    shortage, bug = caplog.records
    assert "No file descriptor is left" in shortage.message
    assert shortage.exc_info is None
    assert "a bug" in bug.message
