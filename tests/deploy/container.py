"""Runs an image's command as a container runs it: its own network, processes and mounts."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psutil

from tests.deploy.debian_tree import inside
from tests.deploy.image import Image

READ_ONLY = """
root=$1 data=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$data" "$root$DATA"
exec chroot "$root" "$@"
"""


class Container:
    """What `docker run --read-only --tmpfs /tmp --cap-drop ALL` starts, in a network namespace.

    Args:
        image: The image.
        namespace: The network namespace.
        folder: Where its data volume and its log are made.
        environment: Further variables, as `--env` gives them.
    """

    def __init__(
        self, image: Image, namespace: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._image, self._namespace = image, namespace
        self.data, self.log = folder / "data", folder / "log"
        self._environment = image.environment | environment

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Runs it; yields the process, whose only child is the container's first one."""
        volume = self._image.settings["VOLUME"]
        copy = ("cp", "-a", f"{self._image.root}{volume}", str(self.data))
        assert await (await asyncio.create_subprocess_exec(*copy)).wait() == 0
        with self.log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *("ip", "netns", "exec", self._namespace),
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("env", f"DATA={volume}", "sh", "-ec", READ_ONLY, "sh"),
                *(str(self._image.root), str(self.data)),
                *self._as_user(self._image.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def is_healthy(self) -> bool:
        """What the image's health check says."""
        check = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", self._namespace, "chroot", str(self._image.root)),
            *self._as_user(self._image.health_check),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await check.wait() == 0

    async def stop(self, process: asyncio.subprocess.Process) -> int:
        """What `docker stop` does; returns the exit code."""
        (first,) = psutil.Process(process.pid).children()
        first.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await process.wait()

    def _as_user(self, command: list[str]) -> list[str]:
        user, group = self._image.settings["USER"].split(":")
        privileges = ("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--clear-groups")
        return [
            *("setpriv", f"--reuid={user}", f"--regid={group}", *privileges),
            *inside(self._environment, self._image.folder),
            *command,
        ]
