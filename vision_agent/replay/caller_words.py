"""The caller's utterances and typed lines, with their times. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vision_agent.caller.utterances import Span


@dataclass(frozen=True, slots=True)
class CallerWords:
    """An utterance or a typed line, in ms of the call.

    Attributes:
        start_ms: When its first voiced sample was sent.
        end_ms: When its last voiced sample was sent; of a typed line, both are when it was sent.
        turn: The caller's turn that it belongs to, from 1.
        typed: The typed line; None for an utterance.
    """

    start_ms: int
    end_ms: int
    turn: int = 1
    typed: str | None = None


class SpokenSound:
    """A sound that the microphone sends, and how much of it has been sent.

    Args:
        spans: Its utterances, in ms from its first sample.
        started: When each utterance began; the microphone adds to it.
        ended: When each utterance ended; the microphone adds to it.
        timeline_ms: Converts those moments to ms of the call.
        turn: The turn that it begins.
        is_one_turn: Whether all of it is one turn, even if nobody speaks in it; otherwise each
            utterance is.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        started: Sequence[float],
        ended: Sequence[float],
        timeline_ms: Callable[[float], int],
        turn: int,
        *,
        is_one_turn: bool,
    ) -> None:
        self._spans, self._started, self._ended = spans, started, ended
        self._timeline_ms, self._turn, self._is_one_turn = timeline_ms, turn, is_one_turn

    @property
    def turns(self) -> int:
        """How many turns it has."""
        return 1 if self._is_one_turn else len(self._spans)

    @property
    def ends_at_ms(self) -> int:
        """The end of its last utterance, in ms from its first sample; 0 without any."""
        return self._spans[-1].end_ms if self._spans else 0

    @property
    def is_said(self) -> bool:
        """Whether its last utterance has been sent."""
        return len(self._ended) == len(self._spans)

    def words(self) -> list[CallerWords]:
        """Return the finished utterances."""
        return [
            CallerWords(
                self._timeline_ms(start),
                self._timeline_ms(end),
                self._turn if self._is_one_turn else self._turn + index,
            )
            for index, (start, end) in enumerate(zip(self._started, self._ended, strict=False))
        ]
