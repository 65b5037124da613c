"""The folder of one recorded call, and the folder of all recordings."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from vision_agent.recordings.recorded_call import FRAMES_FOLDER

NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[0-9A-Za-z]{1,8}(-\d)?")
_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_MAX_FLOOR_BYTES = 1_000_000_000


def prepare(folder: Path) -> None:
    """Make the folder of all recordings, if there is none, for its owner only.

    Raises:
        OSError: It can't be made, or can't be written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(20, "It is not a folder", str(folder)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "It can't be written to", str(folder))


def name_of(call_id: str, began: datetime) -> str:
    """The name of a call's folder.

    Args:
        call_id: The call's id; a worker's name at its beginning is left out.
        began: When the recording began.

    Raises:
        ValueError: The id could lead out of the parent folder.
    """
    own = call_id.rpartition(".")[2]
    if not _ID.fullmatch(own):
        raise ValueError("The id of a call is letters and digits.")
    return f"{began.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}-{own[:8]}"


def make(parent: Path, name: str) -> Path:
    """A new folder for a call, for its owner only; with a number if the name is taken.

    Raises:
        OSError: It can't be made.
    """
    for number in ("", *(f"-{n}" for n in range(2, 10))):
        path = parent / f"{name}{number}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        (path / FRAMES_FOLDER).mkdir(mode=0o700)
        return path
    raise FileExistsError(17, "There is a folder of this name", str(parent / name))


def new_file(path: Path) -> BinaryIO:
    """A new unbuffered file for its owner only; `OSError` if it exists already."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)


def floor_bytes(folder: Path, at_least: int | None) -> int:
    """The bytes that recordings leave free on a disk.

    Args:
        folder: A folder on the disk.
        at_least: The operator's setting; None: a twentieth of the disk, 1 GB at most.
    """
    if at_least is not None:
        return at_least
    return min(_MAX_FLOOR_BYTES, shutil.disk_usage(folder).total // 20)
