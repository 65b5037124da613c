"""The folder in which conversations and memories are kept, readable for its owner alone.

Only `private_folder` and `private_file` create the folder and its files, whichever part of the
program needs them first. So neither the umask nor the order of events leaves a conversation
readable for other users of the machine.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

VARIABLE = "VISION_AGENT_DATA_DIR"

OWN_FILES = ("sessions.db", "memory.db", "caller")
OWN_FOLDERS = ("taught", "https")
_SQLITE_SUFFIXES = ("", "-wal", "-shm", "-journal")

_POSIX = os.name == "posix"

logger = logging.getLogger(__name__)


class NotPrivate(PermissionError):
    """A file or folder belongs to another user, who could read what is kept there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} belongs to another user of this machine, who could read it")


class DatabaseError(RuntimeError):
    """A file or database that keeps conversations can't be used; the text says which and why."""


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder for what is kept from call to call; it need not exist yet.

    Args:
        environ: The environment. ``VISION_AGENT_DATA_DIR`` names the folder. If that is unset, the
            folder is in the platform's standard place: the XDG Base Directory Specification's
            ``XDG_DATA_HOME`` on Linux, ``Application Support`` on macOS, ``LOCALAPPDATA`` on
            Windows.
    """
    if named := environ.get(VARIABLE, "").strip():
        return Path(named).expanduser()
    return _own_place(environ)


def _own_place(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME", ""))
        if not base.is_absolute():  # the XDG specification has a relative path ignored
            base = Path.home() / ".local" / "share"
    return base / "vision_agent"


def private_folder(folder: Path) -> None:
    """Makes a data folder private (0700), and vision_agent's own files in it (0600).

    A folder that exists already and is not the platform's standard place, such as ``/tmp``, may be
    used for other things as well: it keeps its mode, and only vision_agent's own files and folders
    in it are made private.

    Args:
        folder: The data folder.

    Raises:
        NotPrivate: The folder, or one of vision_agent's files in it, belongs to another user.
        OSError: The folder can't be created.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        ours = True
    except FileExistsError:
        if not folder.is_dir():
            raise
        ours = folder == _own_place(os.environ)
    if ours:
        _tighten(folder, 0o700)
    for path, mode in _own(folder):
        _tighten(path, mode)


def private_file(path: Path) -> None:
    """Creates a private file (0600) and its folder, before a library creates it with another mode.

    SQLite gives its journal, ``-wal`` and ``-shm`` files the mode of the database file.

    Args:
        path: The file. A file that exists keeps its contents.

    Raises:
        NotPrivate: The file or its folder belongs to another user.
        OSError: The file can't be created.
    """
    private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for suffix in _SQLITE_SUFFIXES:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            _tighten(beside, 0o600)


def readable_by_others(folder: Path) -> list[Path]:
    """Lists vision_agent's files that other users of the machine can read; changes nothing.

    Args:
        folder: The data folder, which need not exist.
    """
    if not _POSIX or not folder.is_dir() or not _opens(folder, 0o001):
        return []
    return [path for path, _ in _own(folder) if _opens(path, 0o004)]


def _opens(path: Path, bit: int) -> bool:
    """Whether a file's permission bit is set for others or for the group."""
    try:
        return bool(path.stat().st_mode & (bit | bit << 3))
    except OSError:
        return False


def _own(folder: Path) -> Iterator[tuple[Path, int]]:
    for name in OWN_FILES:
        for suffix in _SQLITE_SUFFIXES:
            if (path := folder / (name + suffix)).is_file():
                yield path, 0o600
    for name in OWN_FOLDERS:
        if (inner := folder / name).is_dir():
            yield inner, 0o700
            for path in inner.iterdir():
                yield path, 0o600


def _tighten(path: Path, mode: int) -> None:
    if not _POSIX:
        return  # on Windows a user's own folders are private
    try:
        target, link = path.stat(), path.lstat()
    except FileNotFoundError:
        return  # SQLite removes its journals at any time
    user = os.geteuid()
    if user != 0 and {target.st_uid, link.st_uid} != {user}:
        raise NotPrivate(path)
    if target.st_mode & 0o777 != mode:
        try:
            path.chmod(mode)
        except OSError as error:
            # Some file systems have no modes.
            logger.warning("%s can't be made private: %s", path, error)
