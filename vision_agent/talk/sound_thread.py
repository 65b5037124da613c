"""Runs microphone and speaker in a thread, so that they never wait for the event loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from vision_agent.caller.playout import Playout
from vision_agent.caller.recording import Samples
from vision_agent.talk.echo import BLOCK_SAMPLES, EchoGuard
from vision_agent.talk.sdl import BYTES_PER_MS, SoundStream

_POLL_S = 0.005
# Enough to bridge a moment in which the thread does not run, too little to be noticed.
_AHEAD_MS = 40
# Blocks of the speaker's sound kept for the echo guard: the devices' clocks differ a little.
_FAR_BLOCKS = 20


class SoundThread:
    """Moves 10 ms blocks: speaker ← `playout`, microphone → `guard` → `on_block`.

    Args:
        microphone: None for a caller who only listens.
        speaker: None for a caller who does not listen.
        playout: The agent's voice.
        guard: Removes the echo.
        on_block: Receives the caller's sound, `BLOCK_SAMPLES` at a time, in this thread.
    """

    def __init__(
        self,
        microphone: SoundStream | None,
        speaker: SoundStream | None,
        playout: Playout,
        guard: EchoGuard,
        on_block: Callable[[Samples], None],
    ) -> None:
        self._microphone, self._speaker = microphone, speaker
        self._playout, self._guard, self._on_block = playout, guard, on_block
        self._captured = b""
        self._far: deque[Samples] = deque(maxlen=_FAR_BLOCKS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)

    def start(self) -> None:
        """Start; what the microphone recorded before is discarded."""
        if self._microphone is not None:
            self._microphone.clear()
        self._thread.start()

    @property
    def unread_ms(self) -> float:
        """How much recorded sound has not been passed to `on_block` yet, in ms."""
        if self._microphone is None:
            return 0.0
        return self._microphone.queued_ms + len(self._captured) / BYTES_PER_MS

    def close(self) -> None:
        """Stop, and release the devices."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for stream in (self._microphone, self._speaker):
            if stream is not None:
                stream.close()

    def _run(self) -> None:
        while not self._stopping.wait(_POLL_S):
            if self._speaker is not None:
                self._play(self._speaker)
            if self._microphone is not None:
                self._listen(self._microphone)

    def _play(self, speaker: SoundStream) -> None:
        for _ in range(int(_AHEAD_MS - speaker.queued_ms) // 10):
            block = self._playout.pull(BLOCK_SAMPLES)
            speaker.write(block.tobytes())
            self._far.append(block)

    def _listen(self, microphone: SoundStream) -> None:
        self._captured += microphone.read()
        size = 2 * BLOCK_SAMPLES
        while len(self._captured) >= size:
            near = np.frombuffer(self._captured[:size], np.int16)
            self._captured = self._captured[size:]
            far = self._far.popleft() if self._far else np.zeros(BLOCK_SAMPLES, np.int16)
            self._on_block(self._guard.clean(near, far))
