"""How much of an answer has been heard: its words beside its sound. Pure.

A model sends an answer faster than it is spoken, the words in pieces between the pieces of sound,
and says nowhere which belong together. What it does keep is one order: either words follow the
sound they name, or they go before it. Which of the two shows in what comes first. So an answer is a
row of stretches, each some sound and its words, and within a stretch words are spread evenly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CUT_MARK = "…"
"""Stands at the end of an answer that was cut off, where people and models read it."""


@dataclass(slots=True)
class _Stretch:
    """Sound from ``start_ms`` to ``end_ms`` of what the speaker plays, and what it says."""

    start_ms: float = 0.0
    end_ms: float = 0.0
    text: str = ""
    sounds: bool = False


class TranscriptAligner:
    """One answer, as it arrives."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []
        self._words_first = False

    def __bool__(self) -> bool:
        """Whether anything of it is here."""
        return bool(self._stretches)

    @property
    def text(self) -> str:
        """All its words, as they came."""
        return "".join(stretch.text for stretch in self._stretches)

    def sound(self, start_ms: float, length_ms: float) -> None:
        """More of its sound came.

        Args:
            start_ms: Where in all that the speaker plays it begins.
            length_ms: How long it is.
        """
        last = self._stretches[-1] if self._stretches else None
        if last is None or (last.text and not self._words_first):
            last = _Stretch()
            self._stretches.append(last)
        if not last.sounds:
            last.start_ms, last.sounds = start_ms, True
        last.end_ms = max(last.end_ms, start_ms + length_ms)

    def words(self, text: str) -> None:
        """More of its words came, with the spaces between them."""
        if not self._stretches:
            self._words_first = True
        last = self._stretches[-1] if self._stretches else None
        if last is None or (last.sounds and self._words_first):
            last = _Stretch()
            self._stretches.append(last)
        last.text += text

    def heard(self, played_ms: float) -> str:
        """Its words up to a moment of what the speaker plays; whole words, to the nearest one."""
        said = ""
        for stretch in self._stretches:
            if not stretch.sounds or played_ms <= stretch.start_ms:
                break
            if played_ms < stretch.end_ms:
                length_ms = stretch.end_ms - stretch.start_ms
                return said + _beginning(stretch.text, (played_ms - stretch.start_ms) / length_ms)
            said += stretch.text
        return said


def cut(heard: str, whole: str) -> str:
    """What is kept of an answer that was interrupted: with a mark, if words are missing.

    Args:
        heard: Its beginning that was played.
        whole: All of it.
    """
    heard, whole = " ".join(heard.split()), " ".join(whole.split())
    return heard if heard == whole or not heard else f"{heard} {CUT_MARK}"


def played_length(played: str, whole: str) -> int:
    """How many characters of an answer have been played, from the words that `cut` kept of it."""
    count = len(played.removesuffix(CUT_MARK).split())
    ends = [word.end() for word in re.finditer(r"\S+", whole)][:count]
    return ends[-1] if ends else 0


def _beginning(text: str, fraction: float) -> str:
    end = 0
    for word in re.finditer(r"\S+", text):
        if word.start() + word.end() > 2 * fraction * len(text):
            break
        end = word.end()
    return text[:end]
