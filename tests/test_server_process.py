"""A server that a command started does not outlive the command."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import psutil

from tests.support.forked import start_forked
from tests.support.waiting import until

STARTER = """
import asyncio
from vision_agent.server_process import ServerProcess

async def main():
    async with ServerProcess() as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def runs(pid: int) -> bool:
    # Where nothing reaps orphans, zombies stay in the list.
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


async def test_a_command_that_is_killed_leaves_no_server_behind(tmp_path: Path) -> None:
    (tmp_path / "starter.py").write_text(STARTER)
    starter = await start_forked(
        sys.executable, "-m", "starter", stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    server = None
    try:
        server = int(await asyncio.wait_for(starter.stdout.readline(), 90))
        assert runs(server)
        starter.kill()
        await starter.wait()
        await until(lambda: not runs(server))
        server = None
    finally:
        if starter.returncode is None:
            starter.kill()
            await starter.wait()
        if server is not None:
            os.kill(server, signal.SIGKILL)
