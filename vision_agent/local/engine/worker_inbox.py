"""The child's end of a `worker_pipe`."""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import BinaryIO, NoReturn

from vision_agent.local.engine.worker_pipe import HEADER, READY, REFUSAL, WorkerMessage, packed
from vision_agent.malloc_trim import trim


class Inbox:
    """Messages from the parent, and the way back.

    A thread reads stdin all the time, so that EOF ends the process at once, even in the middle of
    long native work. The queue needs no bound of its own: the parent bounds what it sends.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the parent, which closes the pipe
        self._messages: queue.SimpleQueue[WorkerMessage] = queue.SimpleQueue()
        # Output that native code prints must not end up between messages.
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def say_ready(self) -> None:
        """Tell the parent that jobs may come; what loading has freed is given back before."""
        trim()
        self.send(READY, 0)

    def refuse(self, words: str) -> NoReturn:
        """End the process instead of taking jobs; the parent's ``ready`` raises the words."""
        self.send(REFUSAL, 0, words.encode())
        os._exit(1)

    def next(self, *, wait: bool) -> WorkerMessage | None:
        """The next message; None when there is none and ``wait`` is false."""
        try:
            return self._messages.get(block=wait)
        except queue.Empty:
            return None

    def send(self, op: int, job: int, payload: bytes = b"") -> None:
        """Send one message to the parent; ends the process if the parent is gone."""
        view = memoryview(packed(op, job, payload))
        try:
            while view:
                view = view[self._out.write(view) :]
        except BrokenPipeError:
            self.end()

    def end(self) -> None:
        """End the process, because the parent is gone."""
        os._exit(0)

    def _read(self) -> None:
        # Not sys.stdin: at exit Python closes it, and aborts if a thread is reading from it.
        stdin = os.fdopen(os.dup(0), "rb")
        while True:
            header = stdin.read(HEADER.size)
            if len(header) < HEADER.size:
                return self.end()
            op, job, length = HEADER.unpack(header)
            payload = stdin.read(length)
            if len(payload) < length:
                return self.end()
            self._messages.put(WorkerMessage(op, job, payload))
