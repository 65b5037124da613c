"""Schedules the tests on pytest's workers, the longest first.

Most tests wait for sound to be played, so there are more workers than cores. Some need the cores:
only as many of these run at a time as two cores can serve without being late.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.support.kinds import kind_of
from tests.support.priority import COMPUTE

SECONDS: dict[str, float] = tomllib.loads((Path(__file__).parent / "seconds.toml").read_text())
"""The duration of all tests of a file, written by scripts/record_seconds.py; others are short."""

DIVIDED_FROM_S = 80.0
"""A file that takes this long is divided: its tests run on any worker."""

UNDIVIDED = (
    "tests/clients/test_media_stacks.py",
    "tests/clients/test_rtvi_clients.py",
    "tests/cluster/test_cluster.py",
    "tests/deploy/test_image.py",
    "tests/samples/test_samples.py",
    "tests/local/api/test_field_table.py",
)
"""Files of which one worker runs all tests: one cluster, one image, one server and a client's
applications serve several tests, the samples call at the same time, and the last test of the table
of fields judges what the others saw."""

AT_ONCE = {"heavy": 2, "clients": 1, "calls": 4, "sums": 1}
"""How many workers run units of each lane at a time. Units in no lane mostly wait.

A page in a call takes 0.4 of a core, its server included.
"""

FIRST = (
    ("heavy",),
    ("heavy",),
    ("clients", "calls"),
    ("calls",),
    ("calls",),
    ("sums", "calls"),
    (None,),
    (None,),
    (None,),
    (None,),
)
"""The lanes that each worker looks into first, in order; after them it takes any test."""

_SUMS = ("tests/local/engine/sight/", "tests/local/engine/answers/")
"""Files that are not divided: one runs at a time anyway, and each part would load the models."""


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def unit_of(nodeid: str) -> str:
    """The unit that one worker runs in one go: a file, or one test of a long file."""
    file = file_of(nodeid)
    if file in UNDIVIDED or file.startswith(_SUMS):
        return file
    return nodeid if SECONDS.get(file, 0) >= DIVIDED_FROM_S else file


_VIRTUAL = "tests/samples/test_suite.py::test_every_case_of_the_samples_suite_passes[scripted]"
"""Calls in virtual time, which give way to others without being late."""


def lane_of(unit: str) -> str | None:
    """The lane of a unit: what it needs most. None if it mostly waits."""
    kind = kind_of(unit)
    if unit == _VIRTUAL:
        return None
    if kind in ("browser", "cluster") or unit.startswith("tests/samples/"):
        return "heavy"
    if kind == "clients":
        return "clients"
    if unit.startswith(_SUMS):
        return "sums"
    if unit.startswith(COMPUTE):
        return None  # gives way to whatever runs beside it
    return "calls" if kind not in (None, "programs") else None


def order(unit: str) -> float:
    """To sort by: the longest first."""
    return -SECONDS.get(file_of(unit), 0)


class LongestFirst(LoadScopeScheduling):
    """Hands out units in the order of the collection, as far as their lanes have room."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _lanes(self, node: WorkerController) -> set[str | None]:
        """The lanes of what a worker runs or is about to."""
        units = self.assigned_work[node].items()
        return {lane_of(unit) for unit, tests in units if not all(tests.values())}

    def _next_unit(self, node: WorkerController) -> str | None:
        others = [self._lanes(each) for each in self.nodes if each is not node]
        longest: dict[str | None, str] = {}
        for unit in self.workqueue:
            longest.setdefault(lane_of(unit), unit)
        first = FIRST[self.nodes.index(node) % len(FIRST)]
        for lane in (*first, *longest):
            if lane not in longest:
                continue
            taken = sum(lane in lanes for lanes in others)
            if lane is None or taken < AT_ONCE[lane]:
                return longest[lane]
        asked_again = any(not each.shutting_down for each in self.nodes if each is not node)
        return None if asked_again else next(iter(self.workqueue))

    def _assign_work_unit(self, node: WorkerController) -> None:
        unit = self._next_unit(node)
        if unit is None:
            # Other workers have the rest, and this one will get nothing more.
            node.shutdown()
            return
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        # A worker that replaces a dead one is registered before it has collected.
        while not node.shutting_down and node in self.registered_collections:
            # A worker begins a test only when it knows the next one. Further ones would only wait.
            if not self.workqueue:
                node.shutdown()
            elif self._pending_of(self.assigned_work[node]) < 2:
                self._assign_work_unit(node)
            else:
                break

    def remove_node(self, node: WorkerController) -> str | None:
        """Count a dead worker's current test as failed, and put its others back into the queue.

        pytest-xdist itself would also put back the test that the worker died of, and units without
        any test left: a worker that is given one of these waits for its tests without end.

        Returns:
            The test that it ran, None if it had ended.
        """
        units = self.assigned_work.pop(node)
        if self.collection is None:
            self.registered_collections.pop(node, None)
        died_of = None
        for unit, tests in units.items():
            for test in [test for test, done in tests.items() if not done]:
                if died_of is None:
                    died_of = test
                    tests[test] = True
            if not all(tests.values()):
                self.workqueue[unit] = tests
                self.workqueue.move_to_end(unit, last=False)
        for other in self.nodes:
            self._reschedule(other)
        return died_of
