"""Lines typed so shortly before a connection was lost that they may be lost as well. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

UNSURE_S = 10.0
MAX_CHARS = 1_000
"""Longer lines are not searched in a conversation, which shows only the beginning of each."""


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line that was sent.

    Attributes:
        message_id: Its id; a server takes a line only once in a call.
        text: The line.
        at_s: The monotonic time at which it was sent.
    """

    message_id: str
    text: str
    at_s: float


class TypedLines:
    """Keeps the newest typed lines, and how often each one was typed in the conversation."""

    def __init__(self) -> None:
        self._lately: list[TypedLine] = []
        self._times: Counter[str] = Counter()
        self._answered: frozenset[TypedLine] = frozenset()

    def sent(self, line: TypedLine) -> None:
        """Note that a line was sent."""
        self._lately = [*self.unsure(line.at_s), line]
        self._times[line.text.strip()] += 1

    def unsure(self, lost_s: float) -> list[TypedLine]:
        """The lines that may be lost with a connection, if its loss was noticed at `lost_s`."""
        return [line for line in self._lately if lost_s - line.at_s < UNSURE_S]

    def answered(self) -> None:
        """Note that an answer begins: every line sent before has arrived."""
        self._answered = frozenset(self._lately)

    def unanswered(self, lost_s: float) -> list[TypedLine]:
        """The lines that have presumably not arrived, if the conversation itself is gone.

        Args:
            lost_s: See `unsure`.
        """
        return [line for line in self.unsure(lost_s) if line not in self._answered]

    def missing(self, said: Sequence[str], lost_s: float) -> list[TypedLine]:
        """The lines that have not arrived: the conversation that a new call continues lacks them.

        Args:
            said: The caller's lines of the conversation. Text
                before the typed words in a line names the pictures sent with them.
            lost_s: See `unsure`.
        """
        of_text: dict[str, list[TypedLine]] = {}
        for line in self.unsure(lost_s):
            of_text.setdefault(line.text.strip(), []).append(line)
        missing: list[TypedLine] = []
        for text, lines in of_text.items():
            there = sum(each.endswith(text) for each in said)
            lacking = 0 if len(text) > MAX_CHARS else max(0, self._times[text] - there)
            newest = lines[-lacking:] if lacking else []
            self._times[text] = there + len(newest)
            missing += newest
        return sorted(missing, key=lambda line: line.at_s)
