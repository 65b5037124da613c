"""The lines that were typed so shortly before a connection was lost that they may be too. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

UNSURE_S = 10.0
MAX_CHARS = 1_000
"""Longer lines are not looked for in a conversation, which shows the beginning of each."""


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line that was sent.

    Attributes:
        message_id: Its id: a server takes a line once in a call.
        text: The line.
        at_s: The monotonic time at which it was sent.
    """

    message_id: str
    text: str
    at_s: float


class TypedLines:
    """Keeps what was typed lately, and how often each line was typed in the conversation."""

    def __init__(self) -> None:
        self._lately: list[TypedLine] = []
        self._times: Counter[str] = Counter()
        self._answered: frozenset[TypedLine] = frozenset()

    def sent(self, line: TypedLine) -> None:
        """A line was sent."""
        self._lately = [*self.unsure(line.at_s), line]
        self._times[line.text.strip()] += 1

    def unsure(self, lost_s: float) -> list[TypedLine]:
        """What may not have arrived on a connection whose loss was noticed at this time."""
        return [line for line in self._lately if lost_s - line.at_s < UNSURE_S]

    def answered(self) -> None:
        """An answer begins: whatever was sent before has arrived."""
        self._answered = frozenset(self._lately)

    def unanswered(self, lost_s: float) -> list[TypedLine]:
        """What has not arrived, as far as can be known where the conversation is gone.

        Args:
            lost_s: See `unsure`.
        """
        return [line for line in self.unsure(lost_s) if line not in self._answered]

    def missing(self, said: Sequence[str], lost_s: float) -> list[TypedLine]:
        """What has not arrived: the conversation, which a new call continues, lacks it.

        Args:
            said: The caller's lines of the conversation. What stands before typed words in one of
                them says what they were shown with.
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
