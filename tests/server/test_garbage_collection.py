"""Garbage is collected after calls, and freed memory goes back to the system."""

import asyncio
import ctypes
import gc
import subprocess
import sys
import weakref

import pytest

from tests.support.waiting import until
from vision_agent.malloc_trim import trim
from vision_agent.server import garbage_collection
from vision_agent.server.garbage_collection import (
    Collector,
    freeze_objects,
    trimming,
)

FREED = """
import psutil
from vision_agent.malloc_trim import trim
blocks = [bytearray(100_000) for _ in range(400)]
del blocks[::2]
before = psutil.Process().memory_info().rss
assert trim()
print((before - psutil.Process().memory_info().rss) / 2**20)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_lies_between_blocks_in_use_is_given_back():
    result = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) > 10


async def test_it_is_given_back_again_and_again_and_the_task_ends(monkeypatch):
    times = []
    monkeypatch.setattr("vision_agent.server.garbage_collection.trim", lambda: times.append(True))
    async with trimming(every_s=0.01):
        await until(lambda: len(times) >= 3)
    assert all(task.get_name() != "malloc-trim" for task in asyncio.all_tasks())


def test_it_may_be_asked_at_any_time():
    assert trim() in (True, False)


class Circle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


async def test_many_calls_that_end_together_cost_one_collection(monkeypatch):
    passes = []
    monkeypatch.setattr(garbage_collection, "COLLECT_AFTER_S", 0)
    monkeypatch.setattr(gc, "collect", lambda: passes.append(True))
    collector = Collector()
    for _ in range(50):
        collector.soon(idle=False)
    await until(lambda: passes)
    collector.soon(idle=False)
    await asyncio.sleep(0.05)  # the next pass is due in half a minute
    assert len(passes) == 1
    # Without calls, which a pass would delay, it is due at once.
    monkeypatch.setattr(garbage_collection, "COLLECT_IDLE_EVERY_S", 0)
    collector.soon(idle=True)
    # A third pass follows, because the last call's objects may be referenced a little longer.
    await until(lambda: len(passes) >= 3)
    await asyncio.sleep(0.05)
    assert len(passes) == 3
    collector.close()


async def test_when_the_last_call_is_over_what_it_left_is_given_back(monkeypatch):
    happened = []
    monkeypatch.setattr(garbage_collection, "COLLECT_AFTER_S", 0)
    monkeypatch.setattr(garbage_collection, "COLLECT_IDLE_EVERY_S", 0)
    monkeypatch.setattr(gc, "collect", lambda: happened.append("collected"))
    monkeypatch.setattr(garbage_collection, "trim", lambda: happened.append("trimmed"))
    collector = Collector()
    collector.soon(idle=False)
    await until(lambda: happened)
    collector.soon(idle=True)
    await until(lambda: "trimmed" in happened)
    assert happened == ["collected", "collected", "collected", "trimmed"]
    collector.close()


async def test_what_a_call_leaves_is_collected(monkeypatch):
    monkeypatch.setattr(garbage_collection, "COLLECT_AFTER_S", 0)
    gc.disable()
    try:
        left = weakref.ref(Circle())
        Collector().soon(idle=False)
        await until(lambda: left() is None)
    finally:
        gc.enable()


def test_what_the_start_brought_is_left_out_and_garbage_since_an_earlier_start_is_not():
    gc.disable()
    try:
        first = Circle()
        freeze_objects()
        assert gc.get_freeze_count() > 0
        brought, left = weakref.ref(first), weakref.ref(Circle())
        del first
        assert left() is not None
        freeze_objects()
        assert left() is None
        assert brought() is not None
    finally:
        gc.enable()
        gc.unfreeze()
