"""An engine's worker that takes another parent when its own is gone.

A recogniser takes 0.5 s of CPU to load its models and to decode a first second, and the suite
starts dozens. One whose parent is gone says so to the fork server and waits for the next request.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import struct

from tests.support.fork_request import Request
from vision_agent.local.engine import worker_inbox
from vision_agent.local.engine.hearing.whisper import Whisper
from vision_agent.local.engine.hearing.whispers import Whispers
from vision_agent.local.engine.worker_pipe import WorkerMessage

_MOST_IDLE = 2
"""A recogniser takes some 200 MB."""

_ENDED = b"."


class KeptWorkers:
    """The fork server's side: idle workers, which it hands requests to.

    All are of one module, because voices have a fork server of their own.
    """

    def __init__(self) -> None:
        self._pids: dict[socket.socket, int] = {}
        self._idle: list[socket.socket] = []

    def add(self, connection: socket.socket, pid: int) -> None:
        """Add a new worker by the fork server's end of its connection."""
        self._pids[connection] = pid

    def hand_over(self, request: Request, streams: list[int]) -> int | None:
        """Give an idle worker the request; its pid, or None if there is no such worker."""
        while self._idle:
            connection = self._idle.pop()
            with contextlib.suppress(OSError):  # it was killed while it was idle
                request.send(connection, streams)
                return self._pids[connection]
        return None

    def ended(self, connection: socket.socket) -> int | None:
        """The pid of the worker whose parent is gone; None, and closed, if the worker has ended."""
        pid = self._pids[connection]
        with contextlib.suppress(ConnectionError):
            if connection.recv(1):
                self._idle.append(connection)
                if len(self._idle) > _MOST_IDLE:
                    self._idle.pop(0).shutdown(socket.SHUT_WR)
                return pid
        del self._pids[connection]
        if connection in self._idle:
            self._idle.remove(connection)
        connection.close()
        return None

    def __contains__(self, file: object) -> bool:
        return file in self._pids


class _KeptInbox(worker_inbox.Inbox):
    """Ends the program, not the process, when the parent is gone."""

    def end(self) -> None:
        self._messages.put(WorkerMessage(-1, 0, b""))

    def next(self, *, wait: bool) -> WorkerMessage | None:
        message = super().next(wait=wait)
        if message is not None and message.op < 0:
            self._out.close()
            raise SystemExit(0)
        return message


def keep_models() -> None:
    """In a new worker: makes all its programs take the models that the first one loads."""
    Whispers.load = functools.cache(Whispers.load)
    Whisper.warm_up = functools.cache(Whisper.warm_up)
    worker_inbox.Inbox = _KeptInbox


def next_request(connection: socket.socket) -> tuple[Request, list[int]]:
    """Let go of the streams and wait for another request; ends the process if none can come."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.close(nowhere)
    with contextlib.suppress(OSError, struct.error):
        connection.sendall(_ENDED)
        return Request.receive(connection)
    os._exit(0)
