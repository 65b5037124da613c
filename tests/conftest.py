"""Fixtures that every test shares: no credentials of this machine, and a real server to call.

The process that schedules the tests imports this too, but runs none: parts of the product that only
tests need are imported where they are used.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from execnet import XSpec

from tests.support.authorities import leave_out_the_webs
from tests.support.forked import start_fork_server, start_forked, start_worker_server
from tests.support.kinds import KINDS, kind_of
from tests.support.priority import giving_way
from tests.support.schedule import LongestFirst, order, unit_of
from tests.support.worker_reports import WorkerReports

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from tests.support.forked_product import ForkedServer

leave_out_the_webs()

EARLY_IMAGE = pytest.StashKey[tuple[Path, subprocess.Popen[bytes]]]()
"""The folder and the process of an image that is built while the tests are collected."""

RECORDINGS = Path(__file__).parent.parent / "samples" / "recordings"

for name in list(os.environ):
    # Tests use the local Live API, whatever keys the machine has.
    if name.startswith(("GOOGLE_", "GEMINI_", "VISION_AGENT_")):
        del os.environ[name]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores SIGINT, and so would every process that is started from it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("numprocesses", None):
        _take_time_for_examples()
        if hasattr(config, "workerinput"):
            config.pluginmanager.register(WorkerReports(config))
    else:
        # This process keeps six reports of each test, so collections find little garbage.
        gc.set_threshold(50_000, 50, 50)
        if sys.platform == "linux":
            # All workers share it. Without workers, the first test that needs it starts it.
            start_fork_server()
    for kind, (meaning, _) in KINDS.items():
        config.addinivalue_line("markers", f"{kind}: {meaning}")


def _take_time_for_examples() -> None:
    """Allow slow examples: their speed depends on how busy this machine is."""
    import hypothesis

    hypothesis.settings.register_profile(
        "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("busy")


def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[XSpec]) -> None:
    if sys.platform == "linux":
        if not config.invocation_params.args:
            # All tests run: what takes the longest begins while the others are collected.
            from tests.deploy import early_image

            folder = config._tmp_path_factory.mktemp("image")
            config.stash[EARLY_IMAGE] = (folder, early_image.begin(folder))
        python = start_worker_server(config.invocation_params.args)
        for spec in specs:
            spec.python = python
        # Each worker would compute this table if it is not cached on disk, for 0.8 s. This process
        # has the time, because it waits.
        from hypothesis.internal.charmap import intervals_from_codec

        intervals_from_codec("utf-8")


def pytest_configure_node(node: WorkerController) -> None:
    if begun := node.config.stash.get(EARLY_IMAGE, None):
        node.workerinput["image"] = str(begun[0])


def pytest_unconfigure(config: pytest.Config) -> None:
    if begun := config.stash.get(EARLY_IMAGE, None):
        begun[1].communicate()  # it ends with its input


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Neither import nor collect files of kinds that the marker expression leaves out."""
    place = collection_path.relative_to(config.rootpath).as_posix()
    kind = kind_of(f"{place}/" if collection_path.is_dir() else place)
    left_out = re.fullmatch(r"not \(([\w ]+)\)", config.option.markexpr)
    # All tests of such a file are of its kind, whatever other markers they have.
    return True if left_out and kind in left_out[1].split(" or ") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if kind := kind_of(item.nodeid):
            item.add_marker(kind)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: order(unit_of(item.nodeid)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LongestFirst:
    config.option.loadscopereorder = False
    return LongestFirst(config, log)


@pytest.fixture(scope="session", autouse=True)
def _data_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is written to the data folder of the person who runs the tests."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))
    # Nor is anything read that was taught to the agent on this machine.
    os.environ["VISION_AGENT_DATA_DIR"] = str(tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="session", autouse=True)
def _children_are_forked() -> Iterator[None]:
    from tests.support.forked_product import started_by

    with started_by(start_forked):
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_frames_are_sent() -> float:
    """Recordings are sent with four frames a second, as in forks: thirty take a fifth of a core.

    Returns:
        The number that the product sends.
    """
    from vision_agent.caller import recording

    usual, recording.MAX_FPS = recording.MAX_FPS, 4.0
    return usual


@pytest.fixture(scope="session", autouse=True)
def _long_silence_is_one_packet() -> int:
    """Silence is sent in long packets, as in forks: fifty a second are a third of a call's cost.

    Returns:
        The milliseconds of silence in a packet that the product sends.
    """
    from vision_agent.caller import tracks

    usual, tracks.SILENCE_PACKET_MS = tracks.SILENCE_PACKET_MS, 120
    return usual


@pytest.fixture
def children_as_always() -> Iterator[None]:
    """Children are started as in the product: for tests of their command lines and descendants."""
    from tests.support.forked_product import started_by

    with started_by(asyncio.create_subprocess_exec):
        yield


@pytest.fixture
def recordings() -> Path:
    """Real recordings, and spoken questions."""
    return RECORDINGS


@pytest.fixture
def bottle() -> Path:
    """Three water bottles on a table, 40 s, silent."""
    return RECORDINGS / "bottle.mp4"


@pytest.fixture(scope="session")
def slow_bottle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bottles at three frames a second, for commands that are not forked."""
    from tests.support.media_files import with_few_frames

    folder = tmp_path_factory.mktemp("slow")
    return with_few_frames(RECORDINGS / "bottle.mp4", folder / "bottle.mp4")


@pytest.fixture
def jfk() -> Path:
    """A man's voice, 11 s."""
    return RECORDINGS / "jfk.flac"


@pytest.fixture(scope="module")
def every_frame(_few_frames_are_sent: float) -> Iterator[None]:
    """Every frame of a recording is sent, as in the product: for tests of these frames."""
    from vision_agent.caller import recording

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "MAX_FPS", _few_frames_are_sent)
        yield


@pytest.fixture(scope="module")
def every_packet(_long_silence_is_one_packet: int) -> Iterator[None]:
    """Silence has as many packets as in the product: for tests of a microphone's packets."""
    from vision_agent.caller import tracks

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracks, "SILENCE_PACKET_MS", _long_silence_is_one_packet)
        yield


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[ForkedServer]:
    """`vision-agent serve` with the local Live API; see `ForkedServer` for what is different."""
    from tests.support.forked_product import ForkedServer

    async with ForkedServer(*arguments) as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    with giving_way(item.nodeid):
        return (yield)


NOTHING_SKIPPED = "NOTHING_SKIPPED" in os.environ
"""Set where everything is installed: there, a test that finds something missing is a fault."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Where nothing may be skipped, a skip is a failure with the skip's reason."""
    report = yield
    if NOTHING_SKIPPED and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
