"""The process in which espeak-ng runs: `python -m vision_agent.local.speech_worker`.

It takes the frames of `speech_wire` on standard input and answers on standard output, one request
after the other. It ends when standard input does, so it never outlives its parent, and leaves
SIGINT to the parent.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from vision_agent.local import speech_wire as wire
from vision_agent.local.espeak import Espeak, EspeakError
from vision_agent.local.speech_sound import Samples, SentenceSound, gain_for
from vision_agent.local.voices import Voice

# The parent sends the next request when it has the end of the last one.
_MAX_WAITING = 4
# A language and a voice each; a parent needs a few of them.
_MAX_GAINS = 512
_CALIBRATION = "How many of these do you see?"


class Worker:
    """Answers requests until the input ends.

    Args:
        source: Frames from the parent.
        sink: Frames to the parent.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink
        self._orders: queue.Queue[tuple[int, wire.Order]] = queue.Queue(_MAX_WAITING)
        self._stopped = -1
        self._gains: dict[tuple[tuple[str, ...], Voice], float] = {}

    def run(self) -> None:
        """Never returns: the process ends in it.

        Raises:
            EspeakError: espeak-ng cannot be loaded.
        """
        self._espeak = Espeak()
        threading.Thread(target=self._read, daemon=True).start()
        self._send(wire.READY, 0)
        while True:
            request, order = self._orders.get()
            failure = ""
            try:
                self._speak(request, order)
            except EspeakError as error:
                failure = str(error)
            self._send(wire.END, request, failure.encode())

    def _speak(self, request: int, order: wire.Order) -> None:
        sound = SentenceSound(self._gain(order) * 10 ** (order.gain_db / 20), order.pause_ms)

        def on_samples(samples: Samples) -> bool:
            for piece in sound.feed(samples):
                self._send(wire.PIECE, request, piece)
            return self._stopped != request

        if self._stopped != request:
            self._espeak.speak(order.text, order.languages, order.voice, on_samples)
        if self._stopped != request:
            for piece in sound.finish():
                self._send(wire.PIECE, request, piece)

    def _gain(self, order: wire.Order) -> float:
        """Returns the speaker's gain, measured once with a sentence nobody hears (10 ms)."""
        speaker = (order.languages, order.voice)
        if speaker not in self._gains:
            heard: list[Samples] = []

            def on_samples(samples: Samples) -> bool:
                heard.append(samples)
                return True

            self._espeak.speak(_CALIBRATION, order.languages, order.voice, on_samples)
            if len(self._gains) >= _MAX_GAINS:
                self._gains.clear()
            self._gains[speaker] = gain_for(heard)
        return self._gains[speaker]

    def _send(self, kind: bytes, request: int, payload: bytes = b"") -> None:
        self._sink.write(wire.pack(kind, request, payload))
        self._sink.flush()

    def _read(self) -> None:
        """Reads beside the synthesis, so that STOP and the end of the input are seen at once."""
        status = 1
        try:
            while body := self._next_body():
                kind, request, payload = wire.unpack(body)
                if kind == wire.STOP:
                    self._stopped = request
                elif kind == wire.SAY:
                    self._orders.put_nowait((request, wire.Order.from_bytes(payload)))
            status = 0
        except (wire.WireError, ValueError, LookupError, TypeError, queue.Full) as error:
            sys.stderr.write(f"The speech worker cannot read its orders: {error!r}\n")
        finally:
            # The synthesis may be anywhere, also in C or in a write that nobody reads; nothing of
            # it is worth waiting for.
            os._exit(status)

    def _next_body(self) -> bytes:
        """Returns a frame without its length, or nothing when the input has ended."""
        length = self._source.read(wire.LENGTH.size)
        if len(length) < wire.LENGTH.size:
            return b""
        size = wire.body_bytes(length)
        body = self._source.read(size)
        return body if len(body) == size else b""


def main() -> int:
    """Runs the worker; returns only when espeak-ng cannot be loaded or the parent is gone."""
    # Ctrl-C goes to the whole group; the parent says goodbye by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nothing a library prints may get between the frames.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        Worker(sys.stdin.buffer, sink).run()
    except EspeakError as error:
        # Written for the parent, which tells it to who asked for speech.
        sink.write(wire.pack(wire.END, 0, str(error).encode()))
        sink.flush()
    except BrokenPipeError:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
