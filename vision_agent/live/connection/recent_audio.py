"""The caller's sound since the model last showed that it had received it. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np
from google.genai import types

MAX_MS = 15_000
"""Longer than a spoken question; the oldest sound beyond it is dropped."""

LEAD_MS = 300
"""Kept before the first voiced chunk, so that no syllable is cut."""

ENDED_MS = 600
"""Silence that ends an utterance: as long as models wait before they answer."""

_QUIET_PEAK = 500
"""-36 dBFS: above room noise, below speech."""

_BYTES_PER_MS = 32
"""s16le mono at 16 kHz."""


class RecentAudio:
    """A bounded record of the sound sent, for a session that has not received it."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[types.Blob, int, bool]] = deque()
        self._kept_ms = 0
        self._quiet_ms = MAX_MS

    def add(self, blob: types.Blob) -> bool:
        """A chunk was sent: s16le mono 16 kHz. Returns whether it was louder than silence."""
        pcm = blob.data or b""
        duration_ms = len(pcm) // _BYTES_PER_MS
        samples = np.frombuffer(pcm, "<i2", len(pcm) // 2)
        voiced = samples.size > 0 and max(int(samples.max()), -int(samples.min())) > _QUIET_PEAK
        self._quiet_ms = 0 if voiced else self._quiet_ms + duration_ms
        self._chunks.append((blob, duration_ms, voiced))
        self._kept_ms += duration_ms
        while self._kept_ms > MAX_MS:
            self._drop_oldest()
        return voiced

    @property
    def utterance_ended(self) -> bool:
        """Whether the caller has been silent long enough to have finished."""
        return self._quiet_ms >= ENDED_MS

    def forget(self, *, keep_ms: int = 0) -> None:
        """Drop what the model has received: all but the newest ``keep_ms``."""
        while self._chunks and self._kept_ms > keep_ms:
            self._drop_oldest()

    def worth_repeating(self) -> list[types.Blob]:
        """The chunks from just before the first voiced one on; empty if all are silent."""
        chunks = list(self._chunks)
        first = next((i for i, (_, _, voiced) in enumerate(chunks) if voiced), None)
        if first is None:
            return []
        lead_ms = 0
        while first and lead_ms < LEAD_MS:
            first -= 1
            lead_ms += chunks[first][1]
        return [blob for blob, _, _ in chunks[first:]]

    def _drop_oldest(self) -> None:
        self._kept_ms -= self._chunks.popleft()[1]
