"""The interface of a model that judges calls and plays callers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

LONGEST_ANSWER_CHARS = 4000
"""The length of an answer, thoughts excluded; the rest is dropped."""

ANSWER_S = 120.0
"""The longest wait for a whole answer."""


class ModelFailure(Exception):
    """The model gave no answer; the text says why, in words.

    Attributes:
        is_about_frames: The model takes no images.
    """

    def __init__(self, words: str, *, is_about_frames: bool = False) -> None:
        super().__init__(words)
        self.is_about_frames = is_about_frames


@dataclass(frozen=True, slots=True)
class Prompt:
    """One message of a conversation with a model.

    Attributes:
        text: The words.
        who: Their author: the asker, or the model itself.
        frames: JPEG files that are shown after the words.
    """

    text: str
    who: Literal["asker", "model"] = "asker"
    frames: tuple[bytes, ...] = ()


class EvaluatorModel(Protocol):
    """A model; it may be asked several things at once.

    Attributes:
        label: Its name and address, for people to read.
        frames: How many images a request may hold; 0 for a model without vision.
    """

    label: str
    frames: int

    async def answer(self, instruction: str, prompts: Sequence[Prompt]) -> str:
        """Return the model's answer, without its thoughts.

        Args:
            instruction: The system instruction.
            prompts: The conversation; the last one is the asker's.

        Raises:
            ModelFailure: It gave no answer.
        """

    async def close(self) -> None:
        """Close every connection."""
