"""What the caller said, as clients want it: all that is understood so far, and final in time. Pure.

ADK tells the words in pieces and the whole of them at the end of the turn, when the answer has been
given. RTVI clients show the last text that they were told, and many show only final ones.
"""

from __future__ import annotations

MAX_CHARS = 4_000
"""What is remembered of the words that were told as final and not yet confirmed by the model."""


class CallerTranscript:
    """The utterance that is being understood."""

    def __init__(self) -> None:
        self._pending = ""
        self._told = ""

    def piece(self, text: str) -> str:
        """The model understood more words; returns all there are that were not told as final."""
        glued = self._pending[-1:] in ".!?…" and text[:1].isalpha()
        self._pending += f" {text}" if self._pending and glued else text
        return self._pending

    def answered(self) -> str:
        """The answer begins: returns what is final now, if there are such words."""
        final, self._pending = self._pending.strip(), ""
        self._told = f"{self._told} {final}".strip()[-MAX_CHARS:]
        return final

    def whole(self, text: str) -> str:
        """The model tells the whole utterance: returns what of it was not told as final."""
        told, text = self._told.split(), " ".join(text.split())
        self._pending = self._told = ""
        words = text.split()
        if told[-len(words) :] == words:
            return ""
        return " ".join(words[len(told) :]) if words[: len(told)] == told else text
