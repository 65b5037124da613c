"""Three network namespaces: a server's, a caller's, and one between them.

    server ── between ── caller

Unless the middle one forwards packets, server and caller reach only what runs in it: a TURN server,
and the door, a proxy for signalling's TCP connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.networks.in_namespace import run_inside
from tests.support.forked import ForkedProcess
from tests.support.forked_product import ForkedServer

MIDDLE = "10.81.0.1"
SERVER = "10.81.1.2"
CALLER = "10.81.2.2"
OTHER_CALLER = "10.81.3.2"
DOOR = 7860


def need_namespaces() -> None:
    """Skips the test, with the reason, where no namespace can be made."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("Network namespaces need Linux, root and `ip` (Debian: iproute2).")
    probe = subprocess.run(["ip", "netns", "add", f"probe{os.getpid()}"], capture_output=True)
    if probe.returncode:
        pytest.skip(f"No network namespace can be made here: {probe.stderr.decode().strip()}")
    subprocess.run(["ip", "netns", "del", f"probe{os.getpid()}"], check=True)


@dataclass(frozen=True, slots=True)
class Islands:
    """The namespaces' names."""

    server: str
    between: str
    caller: str

    def run(self, namespace: str, *command: str) -> None:
        """Runs a command in one of them."""
        subprocess.run(["ip", "netns", "exec", namespace, *command], check=True)

    def forward(self) -> None:
        """Lets the middle namespace forward packets, so that server and caller reach each other."""
        self.run(self.between, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    def link(self, namespace: str, address: str) -> None:
        """Gives a namespace one more network, whose gateway is the middle namespace."""
        net = address.rpartition(".")[0]
        there, here = f"v{net.split('.')[2]}", f"w{net.split('.')[2]}"
        subprocess.run(
            [
                *("ip", "link", "add", there, "netns", self.between),
                *("type", "veth", "peer", "name", here, "netns", namespace),
            ],
            check=True,
        )
        for place, device, own in (
            (self.between, there, f"{net}.1/24"),
            (namespace, here, f"{address}/24"),
        ):
            self.run(place, "ip", "address", "add", own, "dev", device)
            # The kernel would check an IPv6 address of the link for a second. Chromium takes the
            # end of that check for a change of network, and aborts what it loads.
            self.run(place, "ip", "link", "set", device, "addrgenmode", "none", "up")
        self.run(namespace, "ip", "route", "add", "default", "via", f"{net}.1")

    def unlink(self, namespace: str, address: str) -> None:
        """Removes that network: its interface disappears with its address."""
        self.run(namespace, "ip", "link", "del", f"w{address.split('.')[2]}")

    @contextlib.asynccontextmanager
    async def server_process(self, *arguments: str, log: Path) -> AsyncIterator[IslandServer]:
        """`vision-agent serve` in its namespace; callers reach it through the door."""
        async with IslandServer(
            self, "--host", "0.0.0.0", "--port", str(DOOR), *arguments, stderr_to=log
        ) as server:
            opened, loop = asyncio.Event(), asyncio.get_running_loop()

            async def stand_open() -> None:
                await self._door(lambda: loop.call_soon_threadsafe(opened.set))

            door = asyncio.create_task(run_inside(self.between, stand_open))
            try:
                await asyncio.wait_for(opened.wait(), 10)
                yield server
            finally:
                door.cancel()
                await asyncio.wait([door])

    async def _door(self, on_open: Callable[[], object]) -> None:
        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                beyond = await asyncio.open_connection(SERVER, DOOR)
                await asyncio.gather(_copy(reader, beyond[1]), _copy(beyond[0], writer))

        async with await asyncio.start_server(pass_on, "0.0.0.0", DOOR) as listening:
            on_open()
            await listening.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class IslandServer(ForkedServer):
    """A server in a namespace."""

    def __init__(self, islands: Islands, *arguments: str, stderr_to: Path) -> None:
        super().__init__(*arguments, stderr_to=stderr_to)
        self._islands = islands

    async def _start_process(self, program, option, module, *rest, **streams):  # type: ignore
        wrapper = ("tests.networks.in_namespace", self._islands.server, module)
        return await ForkedProcess.start(program, option, *wrapper, *rest, **streams)


@contextlib.contextmanager
def islands() -> Iterator[Islands]:
    """Makes the namespaces, and removes them at the end."""
    need_namespaces()
    names = [f"{part}-{os.getpid()}" for part in ("server", "between", "caller")]
    made = Islands(*names)
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            made.run(name, "ip", "link", "set", "lo", "up")
        made.run(made.between, "ip", "address", "add", f"{MIDDLE}/32", "dev", "lo")
        made.link(made.server, SERVER)
        made.link(made.caller, CALLER)
        yield made
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
