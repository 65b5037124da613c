"""Keeps taught things from call to call: one small file for each user.

The file's name is a hash of the user's name, so that no name can lead out of the folder. Files are
replaced atomically. A file that can't be read is moved aside, never overwritten. A user whose name
begins with ``passing-`` will not come back: what that user teaches is forgotten within a day.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
import re
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from vision_agent.local.engine.answers.taught_file import (
    MOST_THINGS,
    MOST_VIEWS,
    UnreadableFile,
    decode,
    encode,
)
from vision_agent.local.engine.sight import Taught, TaughtThing

MOST_IN_MEMORY = 16
"""Users whose things are kept in memory; the things of others are read again."""

MOST_USERS = 1_000
"""Files in the folder. For a further user `NoRoom` is raised."""

PASSING = "passing-"
"""Prefix of the names of users who can't be identified again after their conversation."""

MOST_PASSING = 100
"""Files of passing users. For a further one the oldest is deleted."""

PASSING_KEPT_S = 86_400.0
"""How long files of passing users are kept. A conversation may be continued within two hours."""

_HASH = re.compile(r"[0-9a-f]{32}")

_logger = logging.getLogger(__name__)


class NoRoom(RuntimeError):
    """There is no room for more things or users; ``str()`` is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class _Kept:
    things: tuple[TaughtThing, ...]
    stamp: tuple[int, int] | None


class TaughtStore:
    """All users' things. Its methods do file I/O: call them off the event loop.

    Args:
        folder: The folder of the files. Created when first needed, with access for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._put_aside: dict[str, Path] = {}

    def things(self, user: str) -> tuple[TaughtThing, ...]:
        """The things that a user has taught, in the order of teaching.

        Raises:
            OSError: The file exists and can't be read.
        """
        with self._lock:
            return self._load(user)

    def teach(self, user: str, name: str, whose: str, view: Taught) -> tuple[TaughtThing, ...]:
        """Keeps a view of a thing; if the name is known already, as another view of that thing.

        Returns:
            All things that the user has taught now.

        Raises:
            NoRoom: There are too many things, or too many users.
            OSError: The file can't be written.
        """
        with self._lock:
            things = self._load(user)
            known = next((thing for thing in things if thing.name == name), None)
            if known is None and len(things) >= MOST_THINGS:
                raise NoRoom(
                    f"I know {MOST_THINGS} things already, and that is all I can keep. "
                    "Tell me to forget one first."
                )
            views = (*(known.views if known else ()), view)[-MOST_VIEWS:]
            taught = TaughtThing(name, whose, views)
            rest = tuple(thing for thing in things if thing.name != name)
            self._save(user, (*rest, taught))
            return (*rest, taught)

    def forget(self, user: str, name: str | None = None) -> tuple[str, ...]:
        """Forgets a thing, or everything; returns the names of the forgotten things.

        Raises:
            OSError: The file can't be written.
        """
        with self._lock:
            things = self._load(user)
            gone = [thing for thing in things if name is None or thing.name == name]
            if gone:
                self._save(user, tuple(thing for thing in things if thing not in gone))
            return tuple(thing.name for thing in gone)

    def take_notice(self, user: str) -> Path | None:
        """Where an unreadable file was moved to; returned once."""
        with self._lock:
            return self._put_aside.pop(user, None)

    def path(self, user: str) -> Path:
        """The user's file."""
        if not user:
            name = "shared"
        elif _HASH.fullmatch(user):
            name = user  # a hash already; the file of no other name
        else:
            name = "named-" + hashlib.sha256(user.encode()).hexdigest()[:32]
        return self.folder / f"{PASSING if user.startswith(PASSING) else ''}{name}.json"

    def _load(self, user: str) -> tuple[TaughtThing, ...]:
        path = self.path(user)
        stamp = _stamp(path)
        kept = self._kept.get(user)
        # Another server on this machine may have changed the file of the same user.
        if kept is not None and kept.stamp == stamp:
            self._kept.move_to_end(user)
            return kept.things
        things: tuple[TaughtThing, ...] = ()
        if stamp is not None:
            try:
                things = decode(path.read_bytes())
            except UnreadableFile as error:
                aside = _aside(path)
                path.replace(aside)
                _logger.warning("%s: %s; it is kept as %s", path, error, aside.name)
                self._put_aside[user] = aside
                stamp = None
        self._keep(user, _Kept(things, stamp))
        return things

    def _save(self, user: str, things: tuple[TaughtThing, ...]) -> None:
        path = self.path(user)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            self._make_room(user)
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=path.stem, suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(encode(things))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        self._keep(user, _Kept(things, _stamp(path)))

    def _make_room(self, user: str) -> None:
        """Makes room for another user's file.

        Raises:
            NoRoom: There are too many users.
        """
        passing = sorted((_age_s(path), path) for path in self.folder.glob(f"{PASSING}*.json"))
        for place, (age_s, path) in enumerate(passing, start=1):
            if age_s > PASSING_KEPT_S or place >= MOST_PASSING:
                path.unlink(missing_ok=True)
        if user.startswith(PASSING):
            return
        files = (path.name for path in self.folder.glob("*.json"))
        if sum(not name.startswith(PASSING) for name in files) >= MOST_USERS:
            raise NoRoom("I can't keep anything for another person on this server.")

    def _keep(self, user: str, kept: _Kept) -> None:
        self._kept[user] = kept
        self._kept.move_to_end(user)
        while len(self._kept) > MOST_IN_MEMORY:
            self._kept.popitem(last=False)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # forgotten by another server
        return math.inf


def _aside(path: Path) -> Path:
    """A free name beside the file; after a hundred names the last one is reused."""
    for number in range(1, 101):
        aside = path.with_name(f"{path.stem}.unreadable-{number}")
        if not aside.exists():
            break
    return aside
