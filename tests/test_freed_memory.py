"""Memory that was freed goes back to the system."""

import asyncio
import ctypes
import subprocess
import sys

import pytest

from vision_agent.freed_memory import give_back, given_back

FREED = """
import psutil
from vision_agent.freed_memory import give_back
blocks = [bytearray(100_000) for _ in range(400)]
del blocks[::2]
before = psutil.Process().memory_info().rss
assert give_back()
print((before - psutil.Process().memory_info().rss) / 2**20)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_lies_between_blocks_in_use_is_given_back():
    result = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) > 10


async def test_it_is_given_back_again_and_again_and_the_task_ends(monkeypatch):
    times = []
    monkeypatch.setattr("vision_agent.freed_memory.give_back", lambda: times.append(True))
    async with given_back(every_s=0.01):
        async with asyncio.timeout(10):
            while len(times) < 3:
                await asyncio.sleep(0.01)
    assert all(task.get_name() != "give freed memory back" for task in asyncio.all_tasks())


def test_it_may_be_asked_at_any_time():
    assert give_back() in (True, False)
