"""Questions spoken by flite's voices slt, rms and awb, in turn (Debian's package flite)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

from .photographs import DEBIAN, STORE, PhotographsMissing, _unpack_debian

VOICES = ("slt", "rms", "awb")
_UNPACKED = DEBIAN / "usr" / "bin" / "flite"
_UNPACKING = threading.Lock()
"""Several threads ask for voices, and flite crashes if its libraries are unpacked again."""


def spoken(text: str, voice: str) -> Path:
    """A WAV file in which a voice says it; made once.

    Raises:
        PhotographsMissing: There is no flite, and none can be had.
    """
    with _UNPACKING:
        program, environment = _flite()
    name = re.sub(r"\W+", "-", text.lower()).strip("-")
    file = STORE / "speech" / f"{name}-{voice}.wav"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        command = [program, "-voice", voice, "-t", text, "-o", str(file)]
        subprocess.run(command, check=True, env=os.environ | environment)
    return file


def _flite() -> tuple[str, dict[str, str]]:
    if found := shutil.which("flite"):
        return found, {}
    if not _UNPACKED.exists():
        for package in ("flite", "libflite1"):
            _unpack_debian(package)
    libraries = next(iter(sorted((DEBIAN / "usr" / "lib").glob("*/libflite.so.*"))), None)
    if libraries is None:
        raise PhotographsMissing("flite has no library: apt-get install flite")
    return str(_UNPACKED), {"LD_LIBRARY_PATH": str(libraries.parent)}
