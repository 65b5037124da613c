"""Deletes recordings that are older than the operator wants to keep."""

from __future__ import annotations

import logging
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from vision_agent.recordings.folder import NAME
from vision_agent.recordings.lines import HeaderLine, read
from vision_agent.recordings.recorded_call import LINES_FILE

logger = logging.getLogger(__name__)

SWEEP_EVERY_S = 3_600.0
_MAX_HEADER_BYTES = 100_000


def sweep(folder: Path, keep_s: float, now_s: float | None = None) -> int:
    """Delete the recordings in a folder to which nothing was written for a time. Blocks.

    Only recordings are deleted: folders with the name of a recording that are not links, and whose
    `call.jsonl` begins with a header.

    Args:
        folder: The folder of all recordings.
        keep_s: How long recordings are kept.
        now_s: Seconds since 1970; None for now.

    Returns:
        How many were deleted.
    """
    before_s = (time.time() if now_s is None else now_s) - keep_s
    deleted = 0
    for path in _recordings(folder):
        try:
            if max(each.lstat().st_mtime for each in path.iterdir()) < before_s:
                shutil.rmtree(path)  # which follows no links
                deleted += 1
        except OSError as error:
            logger.warning("The recording %s can't be deleted: %s.", path.name, error.strerror)
    return deleted


def _recordings(folder: Path) -> Iterator[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        logger.warning("Recordings can't be looked through: %s.", error.strerror)
        return
    for path in found:
        if NAME.fullmatch(path.name) and _is_recording(path):
            yield path


def _is_recording(path: Path) -> bool:
    lines = path / LINES_FILE
    try:
        if not stat.S_ISDIR(path.lstat().st_mode) or not stat.S_ISREG(lines.lstat().st_mode):
            return False
        with lines.open("rb") as file:
            first = file.readline(_MAX_HEADER_BYTES)
    except OSError:
        return False
    return isinstance(read(first.decode(errors="replace")), HeaderLine)
