"""The words of a sentence, released in step with its sound. Pure."""

from __future__ import annotations

import re

_CHARACTERS_PER_MS = 0.015
"""About 170 English words a minute: characters of text per millisecond of speech."""


class Captions:
    """Releases a sentence in whole words, about as fast as its sound plays.

    The length of the sound is not known while it is being made, so the pace is an estimate;
    `rest` gives what is left when the sound has ended. All pieces joined are the sentence.
    """

    def __init__(self, sentence: str) -> None:
        self._words = re.findall(r"\s*\S+", sentence)
        self._next = 0
        self._dealt = 0

    def due(self, audio_ms: float) -> str:
        """The words that fall within the first ``audio_ms`` and have not been released yet."""
        start = self._next
        while self._next < len(self._words) and self._dealt < audio_ms * _CHARACTERS_PER_MS:
            self._dealt += len(self._words[self._next])
            self._next += 1
        return "".join(self._words[start : self._next])

    def rest(self) -> str:
        """All words not released yet."""
        start, self._next = self._next, len(self._words)
        return "".join(self._words[start:])
