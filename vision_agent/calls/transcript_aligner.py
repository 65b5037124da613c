"""Aligns the words of an answer with its sound, to know which have been played. Pure.

A model sends an answer faster than it is spoken, with pieces of text between pieces of sound, and
does not say which belong together. It does keep one order: the text of a piece of sound either
always follows it or always precedes it. What comes first shows which. So an answer is a list of
stretches, each some sound and its words; within a stretch, the words are spread evenly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CUT_MARK = "…"
"""The end of an answer that was interrupted, where people and models read it."""


@dataclass(slots=True)
class _Stretch:
    """Sound from `start_ms` to `end_ms` of all that the speaker plays, and its words."""

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
        """Whether anything of it has arrived."""
        return bool(self._stretches)

    @property
    def text(self) -> str:
        """All its words, as they arrived."""
        return "".join(stretch.text for stretch in self._stretches)

    def sound(self, start_ms: float, length_ms: float) -> None:
        """Take more of its sound.

        Args:
            start_ms: Where it begins in all that the speaker plays.
            length_ms: Its duration.
        """
        last = self._stretches[-1] if self._stretches else None
        if last is None or (last.text and not self._words_first):
            last = _Stretch()
            self._stretches.append(last)
        if not last.sounds:
            last.start_ms, last.sounds = start_ms, True
        last.end_ms = max(last.end_ms, start_ms + length_ms)

    def words(self, text: str) -> None:
        """Take more of its words, with the spaces between them."""
        if not self._stretches:
            self._words_first = True
        last = self._stretches[-1] if self._stretches else None
        if last is None or (last.sounds and self._words_first):
            last = _Stretch()
            self._stretches.append(last)
        last.text += text

    def played(self, played_ms: float) -> str:
        """The words played by then, to the nearest whole word.

        Args:
            played_ms: A position in all that the speaker plays.
        """
        said = ""
        for stretch in self._stretches:
            if not stretch.sounds or played_ms <= stretch.start_ms:
                break
            if played_ms < stretch.end_ms:
                length_ms = stretch.end_ms - stretch.start_ms
                return said + _beginning(stretch.text, (played_ms - stretch.start_ms) / length_ms)
            said += stretch.text
        return said


def cut(played: str, whole: str) -> str:
    """What is kept of an interrupted answer: what was played, with a mark if words are missing.

    Args:
        played: Its beginning that was played.
        whole: All of it.
    """
    played, whole = " ".join(played.split()), " ".join(whole.split())
    return played if played == whole or not played else f"{played} {CUT_MARK}"


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
