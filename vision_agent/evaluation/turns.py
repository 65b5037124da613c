"""The turns of a call: when the caller spoke or typed, and the time of each turn. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vision_agent.evaluation.expected import InTurn
from vision_agent.replay.report import Report, Utterance


@dataclass(frozen=True, slots=True)
class CallTurns:
    """The utterances of each turn, in order."""

    utterances: tuple[tuple[Utterance, ...], ...]

    @classmethod
    def of(cls, report: Report) -> CallTurns:
        """Return the turns of a report."""
        found: dict[int, list[Utterance]] = {}
        for utterance in report.utterances:
            found.setdefault(utterance.turn, []).append(utterance)
        numbers = range(1, max(found, default=0) + 1)
        return cls(tuple(tuple(found.get(number, ())) for number in numbers))

    def __len__(self) -> int:
        return len(self.utterances)

    def is_mute(self, turn: int) -> bool:
        """Whether a turn is a sound without a voice; known once a later turn has come."""
        return turn <= len(self) and not self.utterances[turn - 1]

    def window(self, turn: int | None) -> tuple[float, float]:
        """Return the beginning and end of a turn in ms; None: the whole call."""
        if turn is None:
            return -math.inf, math.inf
        # Events before the caller's first words, such as a greeting, belong to no turn.
        begins_ms = [
            said[0].started_at_ms if said else math.inf for said in self.utterances[turn - 1 :]
        ]
        return begins_ms[0], min(begins_ms[1:], default=math.inf)

    def next_after(self, at_ms: int) -> float:
        """Return the beginning of the first turn after a moment, in ms; infinite without one."""
        begins_ms = (said[0].started_at_ms for said in self.utterances if said)
        return min((begin for begin in begins_ms if begin > at_ms), default=math.inf)

    def chosen(self, part: InTurn) -> Sequence[tuple[Utterance, ...]]:
        """Return the turns that an expectation is limited to."""
        return self.utterances if part.turn is None else self.utterances[part.turn - 1 : part.turn]


def reply_of(turn: Sequence[Utterance]) -> int | None:
    """Return the time from the end of a turn to its answer, in ms; None without an answer.

    A sentence with a pause may be two utterances: the last one that was answered counts.
    """
    replies = [said.reply_ms for said in turn if said.reply_ms is not None]
    return replies[-1] if replies else None
