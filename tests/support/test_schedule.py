"""Which tests run at the same time; the tables name only files and tests that exist."""

import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.inner_pytest import run_pytest
from tests.support.kinds import KINDS
from tests.support.schedule import AT_ONCE, SECONDS, UNDIVIDED, LongestFirst, lane_of

ROOT = Path(__file__).parents[2]
PLACES = ("browser", "samples", "local/engine/sight", "rtc")
NAMES = [f"tests/{place}/test_{number}.py::test" for place in PLACES for number in range(9)]


def test_every_file_that_is_said_to_be_long_exists() -> None:
    assert [file for file in (*SECONDS, *UNDIVIDED) if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_tests_is_found_where_it_is_said_to_be(kind: str) -> None:
    _, places = KINDS[kind]
    assert all((ROOT / place).exists() for place in places)


def test_no_more_than_a_lane_carries_run_at_a_time_and_everything_is_run_once() -> None:
    run = Run(NAMES)
    while run.busy:
        taken = Counter[str | None]()
        for running in [NAMES[worker.todo[0]] for worker in run.busy]:
            taken[lane_of(running)] += 1
        assert all(taken[lane] <= most for lane, most in AT_ONCE.items())
        for worker in run.busy:
            run.complete(worker)
    assert sorted(run.ran) == sorted(NAMES)
    assert all(worker.shutting_down for worker in run.workers)
    assert run.scheduler.tests_finished


@pytest.mark.parametrize("names", [NAMES, NAMES[:7], NAMES[:1]], ids=["many", "few", "one"])
@pytest.mark.parametrize("seed", range(20))
def test_what_a_dead_worker_left_is_run_once_but_for_what_it_died_of(
    names: list[str], seed: int
) -> None:
    chance, run = random.Random(seed), Run(names)
    died_of = []
    while run.left:
        if not run.busy:
            run.replace()
        assert run.busy, f"nobody runs {run.left}"
        worker = chance.choice(run.busy)
        if chance.random() < 0.15:
            died_of.append(run.kill(worker, at_once=chance.random() < 0.5))
        else:
            run.complete(worker)
        if chance.random() < 0.5:
            run.replace()
    assert sorted(run.ran + died_of) == sorted(names)


def test_a_run_whose_worker_is_killed_ends_and_says_what_it_ran_and_what_failed_before_and_after(
    tmp_path: Path,
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for number in range(4):
        (tmp_path / f"test_{number}.py").write_text("def test(): pass\n")
    (tmp_path / "test_killed.py").write_text(
        "import os\ndef test(): os.kill(os.getpid(), 9)\ndef test_after(): pass\n"
    )
    (tmp_path / "test_around.py").write_text(AROUND)
    status, printed = run_pytest(tmp_path, "--durations=0", "--durations-min=0.2")
    assert "crashed while running 'test_killed.py::test'" in printed, printed
    assert "1 failed, 6 passed, 2 errors" in printed
    for when, kind in (("setup", "before"), ("teardown", "after")):
        assert f"ERROR at {when} of test_{kind}" in printed
        assert f"no {kind}" in printed
    assert "s teardown test_around.py::test_after" in printed
    assert "setup    test_around.py" not in printed
    assert status == 1


CONFTEST = """
from tests.support.schedule import LongestFirst
from tests.support.worker_reports import WorkerReports


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(WorkerReports(config))


def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return LongestFirst(config, log)
"""


AROUND = """
import pytest, time


@pytest.fixture
def before():
    raise ValueError("no before")


@pytest.fixture
def after():
    yield
    time.sleep(0.2)
    raise ValueError("no after")


def test_before(before): pass
def test_after(after): pass
"""


class Run:
    """The scheduler with six workers, as pytest-xdist calls it."""

    def __init__(self, names: list[str]) -> None:
        self.scheduler, self.names = LongestFirst(Config()), names
        self.workers = [Worker(number) for number in range(6)]
        self.ran: list[str] = []
        self.left = set(names)
        for worker in self.workers:
            self.scheduler.add_node(worker)
        for worker in self.workers:
            self.scheduler.add_node_collection(worker, names)
        self.scheduler.schedule()

    @property
    def busy(self) -> list["Worker"]:
        """The workers that run a test: they know the next one, or that there is none."""
        needed = {each: 1 if each.shutting_down else 2 for each in self.workers}
        return [each for each, tests in needed.items() if len(each.todo) >= tests]

    def complete(self, worker: "Worker") -> None:
        number = worker.todo.pop(0)
        self.left.remove(self.names[number])
        self.ran.append(self.names[number])
        self.scheduler.mark_test_complete(worker, number)

    def kill(self, worker: "Worker", *, at_once: bool) -> str:
        """Kill a worker; its replacement collects at once or in `replace`."""
        died_of = self.names[worker.todo[0]]
        self.workers.remove(worker)
        assert self.scheduler.remove_node(worker) == died_of
        self.left.remove(died_of)
        self.workers.append(Worker(len(self.workers) + len(self.ran) + 100))
        self.scheduler.add_node(self.workers[-1])
        if at_once:
            self.replace()
        return died_of

    def replace(self) -> None:
        """The replacements of dead workers have collected."""
        for worker in self.workers:
            if worker not in self.scheduler.registered_collections:
                self.scheduler.add_node_collection(worker, self.names)
                self.scheduler.schedule()


class Config:
    """The part of pytest's configuration that the scheduler reads."""

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
