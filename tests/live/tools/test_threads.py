"""Threads for blocking tools."""

import subprocess
import sys
import threading
from concurrent.futures import wait

import pytest

from vision_agent.live.tools.threads import ToolThreads, TooManyTools


def test_calls_run_side_by_side_up_to_a_bound_and_the_others_wait_their_turn():
    threads = ToolThreads(max_threads=2)
    may_end, running, order = threading.Event(), threading.Semaphore(0), []

    def work(number: int) -> int:
        order.append(number)
        running.release()
        assert may_end.wait(20)
        return number

    futures = [threads.submit(work, number) for number in range(5)]
    assert running.acquire(timeout=20)
    assert running.acquire(timeout=20)
    assert sorted(order) == [0, 1]
    may_end.set()
    assert [future.result(20) for future in futures] == [0, 1, 2, 3, 4]


def test_too_many_are_refused_in_words_and_those_given_up_make_room():
    threads = ToolThreads(max_threads=1, max_waiting=1)
    may_end, began = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        assert may_end.wait(20)

    running, waiting = threads.submit(work), threads.submit(work)
    assert began.wait(20)
    with pytest.raises(TooManyTools, match="Too many tools are running"):
        threads.submit(work)
    assert waiting.cancel()
    last = threads.submit(lambda: "done")
    may_end.set()
    assert last.result(20) == "done"
    assert wait([running]).done
    assert waiting.cancelled()


def test_what_a_call_raises_is_its_result():
    future = ToolThreads().submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        future.result(20)


@pytest.mark.parametrize("ended", [StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_call_ends_no_more_than_itself(ended):
    def work() -> None:
        raise ended

    with pytest.raises(RuntimeError, match=f"the call raised {ended.__name__}") as raised:
        ToolThreads().submit(work).result(20)
    assert isinstance(raised.value.__cause__, ended)


def test_a_tool_that_hangs_does_not_keep_the_program_from_ending():
    program = """
import threading
from vision_agent.live.tools.threads import ToolThreads
began = threading.Event()
def hang():
    began.set()
    threading.Event().wait()
ToolThreads().submit(hang)
began.wait()
print("over")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "over\n"
