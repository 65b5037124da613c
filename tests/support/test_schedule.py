"""Which tests run beside which, and that the tables name what exists."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.kinds import KINDS
from tests.support.schedule import AT_ONCE, SECONDS, UNDIVIDED, LongestFirst, lane_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", [*SECONDS, *UNDIVIDED])
def test_a_file_that_is_said_to_be_long_exists(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_tests_is_found_where_it_is_said_to_be(kind: str) -> None:
    _, places = KINDS[kind]
    assert all((ROOT / place).exists() for place in places)


def test_no_more_than_a_lane_carries_run_at_a_time_and_everything_is_run_once() -> None:
    names = [
        *(f"tests/browser/test_{number}.py::test" for number in range(9)),
        *(f"tests/samples/test_{number}.py::test" for number in range(9)),
        *(f"tests/local/engine/sight/test_{number}.py::test" for number in range(9)),
        *(f"tests/rtc/test_{number}.py::test" for number in range(9)),
    ]
    scheduler = LongestFirst(Config())
    workers = [Worker(number) for number in range(6)]
    for worker in workers:
        scheduler.add_node(worker)
    for worker in workers:
        scheduler.add_node_collection(worker, names)
    scheduler.schedule()
    ran = []
    while any(worker.todo for worker in workers):
        busy = [lane_of(names[worker.todo[0]]) for worker in workers if worker.todo]
        assert all(busy.count(lane) <= most for lane, most in AT_ONCE.items())
        for worker in workers:
            if worker.todo:
                ran.append(number := worker.todo.pop(0))
                scheduler.mark_test_complete(worker, number)
    assert sorted(ran) == list(range(len(names)))
    assert all(worker.shutting_down for worker in workers)
    assert scheduler.tests_finished


class Config:
    """What the scheduler reads of pytest's."""

    option = SimpleNamespace(loadscopereorder=False)

    def getvalue(self, name: str) -> object:
        return {"tx": ["popen"] * 6}[name]


class Worker:
    """One of pytest's workers, seen from the scheduler."""

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.todo: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.todo += indices

    def shutdown(self) -> None:
        self.shutting_down = True
