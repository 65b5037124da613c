"""Counting tokens as the service documents them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

TOKENS_PER_IMAGE = 258
TOKENS_PER_SECOND_OF_AUDIO = 25
CHARACTERS_PER_TOKEN = 4


@dataclass(slots=True)
class Amounts:
    """What was put in: characters of text, milliseconds of sound, images and camera frames."""

    characters: int = 0
    audio_ms: float = 0.0
    images: int = 0
    video_frames: int = 0

    def add(self, other: Amounts) -> None:
        """Adds what another one holds."""
        self.characters += other.characters
        self.audio_ms += other.audio_ms
        self.images += other.images
        self.video_frames += other.video_frames

    def tokens(self) -> dict[str, int]:
        """Tokens of each modality, those with none left out."""
        counts = {
            "TEXT": math.ceil(self.characters / CHARACTERS_PER_TOKEN),
            "AUDIO": math.ceil(self.audio_ms / 1000 * TOKENS_PER_SECOND_OF_AUDIO),
            "IMAGE": self.images * TOKENS_PER_IMAGE,
            "VIDEO": self.video_frames * TOKENS_PER_IMAGE,
        }
        return {modality: count for modality, count in counts.items() if count}


class Usage:
    """What a session has put into its context, turn by turn, and what the model answered.

    The prompt of a turn is everything before it, earlier answers included: that is what a model
    reads again each turn, and how the service bills it. A turn here begins with something of the
    user's after an answer, so that the context can be cut in front of it.

    Args:
        vertex: Vertex calls the answer's tokens ``candidates…``, AI Studio ``response…``.
        earlier: The turns of the session that is resumed.
    """

    def __init__(self, *, vertex: bool, earlier: Sequence[Amounts] = ()) -> None:
        self._answer_name = "candidates" if vertex else "response"
        self._instruction = Amounts()
        self._turns = [replace(turn) for turn in earlier] or [Amounts()]
        self._answered = bool(earlier)
        self._answer = Amounts()
        self._dropped = 0

    @property
    def turn_number(self) -> int:
        """The number of the turn under way; they are counted from 0."""
        return self._dropped + len(self._turns) - 1

    @property
    def first_turn(self) -> int:
        """The number of the oldest turn that is still in the context."""
        return self._dropped

    @property
    def turns(self) -> tuple[Amounts, ...]:
        """Copies of the turns in the context, oldest first."""
        return tuple(replace(turn) for turn in self._turns)

    @property
    def fixed_tokens(self) -> int:
        """Tokens of the system instruction."""
        return sum(self._instruction.tokens().values())

    @property
    def turn_tokens(self) -> list[int]:
        """Tokens of each turn in the context, oldest first."""
        return [sum(turn.tokens().values()) for turn in self._turns]

    @property
    def prompt_tokens(self) -> int:
        """What the model reads for its next answer."""
        return sum(self._prompt().tokens().values())

    def instruct(self, instruction: str) -> None:
        """The system instruction is this one now."""
        self._instruction = Amounts(characters=len(instruction))

    def text_in(self, text: str) -> None:
        """The user typed ``text``."""
        self._open().characters += len(text)

    def image_in(self) -> None:
        """An image came inside content."""
        self._open().images += 1

    def frame_in(self) -> None:
        """A frame of the camera came."""
        self._open().video_frames += 1

    def audio_in(self, duration_ms: float) -> None:
        """The caller's sound entered the context."""
        self._open().audio_ms += duration_ms

    def tool_result_in(self, text: str) -> None:
        """A tool's result came; it belongs to the turn that called the tool."""
        self._turns[-1].characters += len(text)

    def replayed_answer(self, text: str) -> None:
        """The client replays an earlier answer of the model."""
        self._turns[-1].characters += len(text)
        self._answered = True

    def answered(self, *, audio_ms: float = 0.0, text: str = "") -> None:
        """The model put this out in the current turn."""
        self._answer.add(Amounts(characters=len(text), audio_ms=audio_ms))

    def turn(self) -> dict[str, Any]:
        """The ``usageMetadata`` message of the turn that ends now."""
        prompt, answer = self._prompt().tokens(), self._answer.tokens()
        self._turns[-1].add(self._answer)
        self._answer = Amounts()
        self._answered = True
        prompt_count, answer_count = sum(prompt.values()), sum(answer.values())
        return {
            "usageMetadata": {
                "promptTokenCount": prompt_count,
                f"{self._answer_name}TokenCount": answer_count,
                "totalTokenCount": prompt_count + answer_count,
                "promptTokensDetails": _details(prompt),
                f"{self._answer_name}TokensDetails": _details(answer),
            }
        }

    def drop(self, turns: int) -> None:
        """The oldest turns leave the context; the one under way can't."""
        turns = min(turns, len(self._turns) - 1)
        del self._turns[:turns]
        self._dropped += turns

    def _open(self) -> Amounts:
        if self._answered:
            self._turns.append(Amounts())
            self._answered = False
        return self._turns[-1]

    def _prompt(self) -> Amounts:
        prompt = replace(self._instruction)
        for turn in self._turns:
            prompt.add(turn)
        return prompt


def _details(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]
