"""Debian's TURN server as a child process, in a network namespace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.networks.islands import MIDDLE
from tests.support.waiting import until

SECRET = "north"
PORT, TLS_PORT = 3478, 5349

UDP = f"turn:{MIDDLE}:{PORT}"
TCP = f"turn:{MIDDLE}:{PORT}?transport=tcp"
TLS = f"turns:{MIDDLE}:{TLS_PORT}"


def relayed(log: Path) -> list[int]:
    """How many packets each finished session has relayed from its peer, without idle sessions."""
    usage = re.findall(r"peer usage: .* rp=(\d+),", log.read_text())
    return [int(packets) for packets in usage if int(packets)]


@contextlib.asynccontextmanager
async def coturn(namespace: str, folder: Path, at: str = MIDDLE) -> AsyncIterator[Path]:
    """A TURN server on an address; yields its log. `ca.pem` in the folder is its authority."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("The TURN server is not installed (Debian: coturn).")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert(at)
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "turn.pem")
    log = folder / "turn.log"
    log.unlink(missing_ok=True)
    settings = {
        "listening-ip": at,
        "relay-ip": at,
        "listening-port": PORT,
        "tls-listening-port": TLS_PORT,
        "static-auth-secret": SECRET,
        "realm": "test",
        "cert": folder / "turn.pem",
        "pkey": folder / "turn.pem",
        "log-file": log,
        "pidfile": folder / "turn.pid",
        "userdb": folder / "turn.db",
        # It relays to other relays only, so both ends of a call use one.
        "denied-peer-ip": "10.81.1.0-10.81.255.255",
    }
    flags = ("use-auth-secret", "no-cli", "simple-log", "verbose", "no-multicast-peers")
    lines = [*(f"{name}={value}" for name, value in settings.items()), *flags]
    (folder / "turn.conf").write_text("\n".join(lines))
    command = ["ip", "netns", "exec", namespace, program, "-c", str(folder / "turn.conf")]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        ready = f"{at}:{TLS_PORT}"
        await until(lambda: log.exists() and ready in log.read_text(), 20, "coturn to listen")
        yield log
    finally:
        process.kill()
        await process.wait()
