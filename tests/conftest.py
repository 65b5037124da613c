"""What every test shares: no credentials of the machine's, and a real server to call.

The process that hands out the tests imports this too, but runs none: what only tests need of the
product is imported where it is used.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
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
    from tests.support.forked_product import ForkedServer

leave_out_the_webs()

RECORDINGS = Path(__file__).parent.parent / "samples" / "recordings"

for name in list(os.environ):
    # The tests' brain is the local one, whoever runs them.
    if name.startswith(("GOOGLE_", "GEMINI_", "VISION_AGENT_")):
        del os.environ[name]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a shell's background job: everything that is started from there would ignore Ctrl-C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("numprocesses", None):
        _take_time_for_examples()
        if hasattr(config, "workerinput"):
            config.pluginmanager.register(WorkerReports(config))
    else:
        # This process keeps six reports of each test, which are no garbage.
        gc.set_threshold(50_000, 50, 50)
        if sys.platform == "linux":
            # One for all workers. Where there are none, the first test that needs it starts it.
            start_fork_server()
    for kind, (meaning, _) in KINDS.items():
        config.addinivalue_line("markers", f"{kind}: {meaning}")


def _take_time_for_examples() -> None:
    """How fast an example is made or judged says how busy this machine is."""
    import hypothesis

    hypothesis.settings.register_profile(
        "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("busy")


def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[XSpec]) -> None:
    if sys.platform == "linux":
        python = start_worker_server(config.invocation_params.args)
        for spec in specs:
            spec.python = python
        # A worker would compute this table if it is on no disk: 0.8 s, while this process waits.
        from hypothesis.internal.charmap import intervals_from_codec

        intervals_from_codec("utf-8")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files of kinds that are left out are not imported, and not collected by each worker."""
    place = collection_path.relative_to(config.rootpath).as_posix()
    kind = kind_of(f"{place}/" if collection_path.is_dir() else place)
    left_out = re.fullmatch(r"not \(([\w ]+)\)", config.option.markexpr)
    # Whatever else they are marked with: they are of this kind.
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
    """Nothing is written where the person who runs the tests keeps their data."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))
    # Nor is anything read that somebody has taught the agent on this machine.
    os.environ["VISION_AGENT_DATA_DIR"] = str(tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="session", autouse=True)
def _children_are_forked() -> Iterator[None]:
    from tests.support.forked_product import started_by

    with started_by(start_forked):
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_frames_are_sent() -> float:
    """Here as in forks four a second of a recording: to encode thirty takes a fifth of a core.

    Returns:
        How many users send.
    """
    from vision_agent.caller import recording

    usual, recording.MAX_FPS = recording.MAX_FPS, 4.0
    return usual


@pytest.fixture(scope="session", autouse=True)
def _long_silence_is_one_packet() -> int:
    """Here as in forks: fifty packets a second are a third of a call's cost, on both sides.

    Returns:
        How many ms of silence users send in a packet.
    """
    from vision_agent.caller import tracks

    usual, tracks.SILENCE_PACKET_MS = tracks.SILENCE_PACKET_MS, 120
    return usual


@pytest.fixture
def children_as_always() -> Iterator[None]:
    """Where the command line of a child or its family is the subject."""
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
    """The bottles in three frames a second, for commands that run as users run them."""
    from tests.support.media_files import with_few_frames

    folder = tmp_path_factory.mktemp("slow")
    return with_few_frames(RECORDINGS / "bottle.mp4", folder / "bottle.mp4")


@pytest.fixture
def jfk() -> Path:
    """A man's voice, 11 s."""
    return RECORDINGS / "jfk.flac"


@pytest.fixture(scope="module")
def every_frame(_few_frames_are_sent: float) -> Iterator[None]:
    """Where the frames of recordings are the subject: as many are sent as users send."""
    from vision_agent.caller import recording

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "MAX_FPS", _few_frames_are_sent)
        yield


@pytest.fixture(scope="module")
def every_packet(_long_silence_is_one_packet: int) -> Iterator[None]:
    """Where the packets of a microphone are the subject: silence has as many as users send."""
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
"""Set where everything was installed: a test that finds something missing there found a fault."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Where nothing may be skipped, a skip is a failure, in its own words."""
    report = yield
    if NOTHING_SKIPPED and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
