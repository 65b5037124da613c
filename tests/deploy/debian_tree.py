"""A clean Debian in a folder, in the place of a base image, and commands that run in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")

LISTS, KEPT_LISTS = "var/lib/apt/lists", "var/lib/apt/kept"
"""Where apt looks for package lists, and where the lists that the tree was made with are kept."""

PATIENTLY = ("nice", "-n", "5")
"""A build leaves the CPU to the tests beside it."""

_NETWORK = re.compile(r"(https?|all|no)_proxy|PIP_(EXTRA_)?INDEX_URL|UV_DEFAULT_INDEX", re.I)
"""The machine's variables that a build gets, as `docker build` passes its proxies on."""


def need_debian() -> None:
    """Skips the test, with the reason, where no tree can be made."""
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

    The packages are unpacked once and count as installed; none of their scripts runs. A bootstrap
    that runs them unpacks twice and takes twice the CPU.

    On a loaded machine mmdebstrap may leave `proc` mounted in the tree, and a copy of the tree then
    reads /proc/kcore until the disk is full. So its mounts are in a namespace that ends with it.
    """
    address = mirror()
    assert address is not None
    subprocess.run(
        [
            *(*PATIENTLY, "unshare", "--mount"),
            *("mmdebstrap", "--quiet", "--variant=extract", "--mode=root"),
            *("--skip=cleanup/apt", "--include=?essential"),
            "--include=apt,passwd,python3,python3-venv,python3-pip-whl",
            *(suite, root, address),
        ],
        check=True,
        timeout=600,
    )
    archives = root / "var/cache/apt/archives"
    _say_installed(root, sorted(archives.glob("*.deb")))
    shutil.rmtree(archives)
    # A base image has no lists of packages.
    (root / LISTS).rename(root / KEPT_LISTS)
    for name in ("passwd", "group"):
        shutil.copyfile(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    # The machine's certificates: it may reach the registries through a proxy with an authority.
    (root / AUTHORITIES).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path("/", AUTHORITIES), root / AUTHORITIES)
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    run(root, ["ldconfig"])
    # Docker's Python has no bytecode of its library either.
    run(root, ["python3", "-B", "-m", "venv", "--without-pip", "/usr/local"])
    (wheel,) = root.glob("usr/share/python-wheels/pip-*.whl")
    (site_packages,) = root.glob("usr/local/lib/python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    pip = root / "usr/local/bin/pip"
    pip.write_text('#!/bin/sh\nexec python -m pip "$@"\n')
    pip.chmod(0o755)


def _say_installed(root: Path, packages: Sequence[Path]) -> None:
    """Enters packages that were unpacked into dpkg's database."""
    described = (
        subprocess.run(["dpkg-deb", "--field", it], check=True, capture_output=True, text=True)
        for it in packages
    )
    entries = (f"{each.stdout}Status: install ok installed\n" for each in described)
    (root / "var/lib/dpkg/status").write_text("\n".join(entries))


def install(root: Path, package: str) -> None:
    """Installs a package, using the lists that the tree was made with."""
    shutil.rmtree(root / LISTS)
    (root / KEPT_LISTS).rename(root / LISTS)
    run(root, ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package])


def run(
    root: Path,
    command: Sequence[str],
    environment: Mapping[str, str] = {},
    folder: str = "/",
    timeout_s: float = 600,
) -> str:
    """Runs a command in a tree, as root; returns its output."""
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
    """The prefix of a command that is to have these variables only."""
    path = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
    variables = {"PATH": path, "HOME": "/root", **environment}
    return ["env", "-i", f"--chdir={folder}", *(f"{k}={v}" for k, v in variables.items())]


def network() -> dict[str, str]:
    """How this machine reaches the registries."""
    passed = {name: value for name, value in os.environ.items() if _NETWORK.fullmatch(name)}
    authorities = f"/{AUTHORITIES}"
    return passed | {"SSL_CERT_FILE": authorities, "PIP_CERT": authorities}
