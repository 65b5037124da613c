"""The caller's transcript as RTVI clients expect it: cumulative, and final in time. Pure.

ADK gives the words in pieces, and the whole text at the end of the turn, after the answer. RTVI
clients show the last text that they were sent, and many show only final ones.
"""

from __future__ import annotations

MAX_CHARS = 4_000
"""How much is kept of the words sent as final that the model has not confirmed yet."""


class CallerTranscript:
    """The utterance that is being transcribed."""

    def __init__(self) -> None:
        self._pending = ""
        self._told = ""

    def piece(self, text: str) -> str:
        """Take more words; returns all those that were not sent as final."""
        self._pending += text
        return self._pending

    def answered(self) -> str:
        """The answer begins: returns the words that are final now; may be empty."""
        final, self._pending = self._pending.strip(), ""
        self._told = f"{self._told} {final}".strip()[-MAX_CHARS:]
        return final

    def whole(self, text: str) -> str:
        """Take the whole utterance; returns the part that was not sent as final."""
        told, text = self._told.split(), " ".join(text.split())
        self._pending = self._told = ""
        words = text.split()
        if told[-len(words) :] == words:
            return ""
        return " ".join(words[len(told) :]) if words[: len(told)] == told else text
