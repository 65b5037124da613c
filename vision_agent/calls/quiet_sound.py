"""Joins the sound of a quiet microphone, so that silence costs fewer messages. Pure.

A message to the model costs as much as the rest of what is done with 20 ms of the caller's sound:
three turns of the event loop, Base64, TLS and a system call. A caller is quiet for most of a call,
because they listen. What is said is never joined, and neither is the second after it, in which the
model decides that the turn has ended.
"""

from __future__ import annotations

QUIET_AFTER_CHUNKS = 50
"""A second: longer than the silence that ends a turn."""

JOINED_CHUNKS = 5
"""100 ms: sound too soft to count as a voice reaches the model at most 80 ms later."""


class QuietSound:
    """The caller's sound on its way to the model."""

    def __init__(self) -> None:
        self._quiet_chunks = 0
        self._waiting: list[bytes] = []

    def add(self, chunk: bytes, voiced: bool) -> bytes:
        """Take the next 20 ms.

        Args:
            chunk: PCM.
            voiced: Whether it may be of a voice.

        Returns:
            What is to be sent now, in order: this chunk and those that waited, or nothing.
        """
        self._quiet_chunks = 0 if voiced else self._quiet_chunks + 1
        self._waiting.append(chunk)
        if self._quiet_chunks > QUIET_AFTER_CHUNKS and len(self._waiting) < JOINED_CHUNKS:
            return b""
        return self.rest()

    def rest(self) -> bytes:
        """What waits, because no more sound is coming."""
        sound, self._waiting = b"".join(self._waiting), []
        return sound
