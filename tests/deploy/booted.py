"""Boots systemd in a Debian tree, in namespaces of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until

BOOT = """
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
mount -t tmpfs tmpfs "$1/run"
mount -t tmpfs tmpfs "$1/tmp"
cd "$1"
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=other /lib/systemd/systemd --unit=multi-user.target
"""


class Booted:
    """A tree that systemd has booted.

    Args:
        namespace: Its network namespace.
        root: The tree, in which systemd is installed.
    """

    def __init__(self, namespace: str, root: Path) -> None:
        self._namespace, self._root = namespace, root
        self._pid = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Starts systemd, with the units that are enabled, and ends it with all of them."""
        group = _cgroups() / f"booted-{os.getpid()}"
        group.mkdir()
        joining = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        process = await asyncio.create_subprocess_exec(
            *("sh", "-ec", joining, "sh", "ip", "netns", "exec", self._namespace),
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup"),
            *("--uts", "--ipc", "sh", "-ec", BOOT, "sh", str(self._root)),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            (first,) = await until(lambda: psutil.Process(process.pid).children(), 20)
            self._pid = first.pid
            await until(self._answers, 60, "systemd to answer")
            yield
        finally:
            process.kill()
            await process.wait()
            for below in sorted(group.rglob("*"), reverse=True):
                if below.is_dir():
                    await until(lambda below=below: _removed(below), 10)
            await until(lambda: _removed(group), 10)

    async def run(self, *command: str) -> tuple[int, str]:
        """Runs a command in the tree; returns its exit code and its output."""
        entering = ("nsenter", f"--target={self._pid}", *["-m", "-p", "-i", "-u", "-C"])
        ran = await asyncio.create_subprocess_exec(
            *entering,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await ran.communicate()
        return ran.returncode or 0, said.decode()

    async def _answers(self) -> bool:
        # Before pivot_root, systemctl believes that it is in a chroot and ignores its request.
        said = await self.run("systemctl", "is-active", "multi-user.target")
        return said == (0, "active\n")


def _cgroups() -> Path:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2" and os.access(place, os.W_OK):
            return Path(place)
    pytest.skip("systemd needs control groups of version 2, and none can be made here.")


def _removed(group: Path) -> bool:
    with contextlib.suppress(FileNotFoundError, OSError):
        group.rmdir()
    return not group.exists()
