"""A clean Debian in a folder, in the place of a base image, and commands that run in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")

PATIENTLY = ("nice", "-n", "5")
"""A build takes less of the cores than the tests beside it."""

_NETWORK = re.compile(r"(https?|all|no)_proxy|PIP_(EXTRA_)?INDEX_URL|UV_DEFAULT_INDEX", re.I)
"""What a builder passes on from the machine, as `docker build` passes its proxies on."""


def need_debian() -> None:
    """Skips in words where no tree can be made."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("Building the image without Docker needs Linux and root.")
    if shutil.which("mmdebstrap") is None:
        pytest.skip("mmdebstrap, which makes a clean Debian tree, is not installed.")
    if not (mirror() and Path("/", AUTHORITIES).exists()):
        pytest.skip("This machine names no Debian mirror in /etc/apt, or has no certificates.")


def mirror() -> str | None:
    """The Debian mirror that this machine's own packages come from."""
    folder = Path("/etc/apt")
    for file in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        text = file.read_text() if file.is_file() else ""
        for line in text.splitlines():
            if found := re.match(r"(?:deb\b.*?|URIs:)\s*(https?://\S+/debian/?)(\s|$)", line):
                return found[1]
    return None


def make(root: Path, suite: str) -> None:
    """Makes what `python:…-slim-SUITE` is: a minimal Debian, `python` and `pip` in /usr/local.

    On a loaded machine mmdebstrap may leave `proc` mounted in the tree, and a copy of the tree then
    reads /proc/kcore until the disk is full: its mounts are in a namespace that ends with it.
    """
    address = mirror()
    assert address is not None
    subprocess.run(
        [
            *(*PATIENTLY, "unshare", "--mount"),
            *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root"),
            *("--include=python3,python3-venv,ca-certificates", suite, root, address),
        ],
        check=True,
        timeout=600,
    )
    # The machine's own: it may reach the registries through a proxy with an authority of its own.
    shutil.copyfile(Path("/", AUTHORITIES), root / AUTHORITIES)
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    run(root, ["python3", "-m", "venv", "/usr/local"])


def run(
    root: Path,
    command: Sequence[str],
    environment: Mapping[str, str] = {},
    folder: str = "/",
    timeout_s: float = 600,
) -> str:
    """Runs a command in a tree, as root; returns what it printed."""
    done = subprocess.run(
        [*PATIENTLY, "chroot", root, *inside(network() | environment, folder), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def inside(environment: Mapping[str, str], folder: str) -> list[str]:
    """The beginning of a command in a tree that has these variables only."""
    path = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
    variables = {"PATH": path, "HOME": "/root", **environment}
    return ["env", "-i", f"--chdir={folder}", *(f"{k}={v}" for k, v in variables.items())]


def network() -> dict[str, str]:
    """How this machine reaches the registries."""
    passed = {name: value for name, value in os.environ.items() if _NETWORK.fullmatch(name)}
    authorities = f"/{AUTHORITIES}"
    return passed | {"SSL_CERT_FILE": authorities, "PIP_CERT": authorities}
