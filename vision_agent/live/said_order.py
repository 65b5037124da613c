"""Orders the lines of a conversation by the times at which they began. Pure.

The words of an answer are known when it has been played; a typed line is known at once. So a line
that cuts off an answer is known before the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["typed", "spoken", "answer", "cut off", "tool", "other"]
"""`typed` and `spoken` are the caller's, `cut off` is an answer that was; `other` has no words."""


@dataclass(frozen=True, slots=True)
class SaidAt:
    """The properties of a line on which the order depends.

    Attributes:
        kind: The line's kind.
        began_s: When its first words came, in seconds of any clock.
    """

    kind: Kind
    began_s: float


def place(before: Sequence[SaidAt], new: SaidAt) -> int:
    """The index at which a line belongs that has just become complete.

    A model may send the transcript of the caller's speech after the answer has begun (documented:
    in no guaranteed order). So words that the caller says during an answer follow it only if they
    cut it off and other words had asked for it.

    Args:
        before: The earlier lines, in order.
        new: The line.
    """
    at = len(before)
    if new.kind not in ("spoken", "answer", "cut off"):
        return at
    for index in range(len(before) - 1, -1, -1):
        each = before[index]
        if each.began_s <= new.began_s:
            break
        if (
            new.kind == "spoken"
            or each.kind == "typed"
            or (each.kind == "spoken" and new.kind == "cut off" and _asked(before[:index], new))
        ):
            at = index
        elif each.kind != "other":
            break
    return at


def _asked(before: Sequence[SaidAt], answer: SaidAt) -> bool:
    """Whether the caller had said something since the last answer, when this one began."""
    for each in reversed(before):
        if each.kind in ("answer", "cut off"):
            return False
        if each.kind in ("typed", "spoken") and each.began_s <= answer.began_s:
            return True
    return False
