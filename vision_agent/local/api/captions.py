"""The words of an answer in pieces, released in step with its sound. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from vision_agent.local.api.habits import Habits

_CHARACTERS_PER_MS = 0.015
"""About 170 English words a minute: characters of text per millisecond of speech."""


class Captions:
    """Releases a sentence in pieces of whole words, about as fast as its sound plays.

    The length of the sound is not known while it is being made, so the pace is an estimate;
    `rest` gives what is left when the sound has ended. All pieces joined are the sentence.

    Args:
        sentence: The words, with the space in front of them.
        habits: How many words a piece has.
        opens: Whether these are the first words of an answer.
    """

    def __init__(self, sentence: str, habits: Habits, *, opens: bool = True) -> None:
        words = iter(re.findall(r"\s*\S+", sentence))
        sizes = itertools.cycle(habits.caption_words)
        pieces = iter(lambda: "".join(itertools.islice(words, next(sizes))), "")
        self._pieces = list(pieces)
        if opens and habits.caption_space and len(self._pieces) > 1:
            first, second, *rest = self._pieces
            self._pieces = [first + second[: -len(second.lstrip())], second.lstrip(), *rest]
        self._next = 0
        self._dealt = 0

    def due(self, audio_ms: float) -> list[str]:
        """The pieces that begin within the first ``audio_ms`` and have not been released yet."""
        start = self._next
        while self._next < len(self._pieces) and self._dealt < audio_ms * _CHARACTERS_PER_MS:
            self._dealt += len(self._pieces[self._next])
            self._next += 1
        return self._pieces[start : self._next]

    def rest(self) -> list[str]:
        """All pieces not released yet."""
        start, self._next = self._next, len(self._pieces)
        return self._pieces[start:]


def transcript_pieces(transcript: str) -> Iterator[str]:
    """What a caller said, as a model sends it that does not wait for whole utterances.

    A word, with its space in front, or a mark between words is a piece; the end comes at once.
    """
    pieces = re.findall(r"\s*(?:\w+(?:['\u2019-]\w+)*|[^\w\s])", f" {transcript.strip()}")
    yield from pieces[:-3]
    if last := "".join(pieces[-3:]):
        yield last
