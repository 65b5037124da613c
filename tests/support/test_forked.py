"""A fork of the fork server behaves like a new process."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.forked import VOICE, ForkedProcess
from tests.support.waiting import until
from vision_agent.local.engine.worker_pipe import HEADER, READY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has what it needs")

TELLER = """
import atexit, json, os, sys
atexit.register(lambda: print("goodbye", flush=True))
print(json.dumps({
    "name": __name__,
    "arguments": sys.argv[1:],
    "path": sys.path[0],
    "folder": os.getcwd(),
    "environment": os.environ.get("TOLD"),
    "files": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
    "leads_a_session": os.getsid(0) == os.getpid(),
}), flush=True)
print("complaint", file=sys.stderr)
for line in sys.stdin:
    print(line.strip().upper(), flush=True)
    if line.startswith("raise"):
        raise ValueError("as asked")
sys.exit(7)
"""

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture(params=[asyncio.create_subprocess_exec, ForkedProcess.start], ids=["new", "forked"])
def start(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a module that prints what it sees of its process, as a new process or as a fork."""
    (tmp_path / "teller.py").write_text(TELLER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLD", "in the environment")

    async def start(**more: object) -> asyncio.subprocess.Process:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return await request.param(
            sys.executable, "-m", "teller", "-x", "two words", **pipes, **more
        )

    return start


async def test_it_sees_what_a_new_process_sees(start: Start, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = await start(stderr=log)
        told = json.loads(await child.stdout.readline())
        assert told == {
            "name": "__main__",
            "arguments": ["-x", "two words"],
            "path": str(tmp_path),
            "folder": str(tmp_path),
            "environment": "in the environment",
            "files": [0, 1, 2],
            "leads_a_session": False,
        }
        assert child.returncode is None
        child.stdin.write(b"hello\n")
        assert await child.stdout.readline() == b"HELLO\n"
        child.stdin.close()
        assert await child.wait() == 7
    assert child.returncode == 7
    assert await child.stdout.read() == b"goodbye\n"
    assert (tmp_path / "log").read_text() == "complaint\n"
    with pytest.raises(ProcessLookupError):
        child.send_signal(signal.SIGTERM)


async def test_it_can_have_another_environment_and_a_session_of_its_own(start: Start) -> None:
    child = await start(env={"TOLD": "another"}, start_new_session=True)
    told = json.loads(await child.stdout.readline())
    assert told["environment"] == "another"
    assert told["leads_a_session"]
    child.kill()
    assert await child.wait() == -signal.SIGKILL


async def test_what_it_raises_is_printed_and_is_its_exit_status(
    start: Start, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = await start(stderr=log)
        child.stdin.write(b"raise\n")
        assert await child.wait() == 1
    assert "ValueError: as asked" in (tmp_path / "log").read_text()
    assert (await child.stdout.read()).endswith(b"RAISE\ngoodbye\n")


def sleeps(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_that_status(
    start: Start, number: signal.Signals, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = await start(stderr=log)
        await child.stdout.readline()
        # Python would miss a signal that comes just before it waits for its input.
        await until(lambda: sleeps(child.pid), what="the child to wait for its input")
        child.send_signal(number)
        assert await child.wait() == -number


async def test_the_parent_of_a_worker_that_is_kept_sees_it_end() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    for _ in range(2):
        worker = await ForkedProcess.start(sys.executable, "-m", VOICE, **pipes)
        op, _, length = HEADER.unpack(await worker.stdout.readexactly(HEADER.size))
        assert (op, length) == (READY, 0)
        worker.stdin.close()
        assert await worker.stdout.read() == b""
        assert await worker.wait() == 0
