"""Counting tokens as the service documents them. Pure."""

from __future__ import annotations

import math
from typing import Any

TOKENS_PER_IMAGE = 258
TOKENS_PER_SECOND_OF_AUDIO = 25
CHARACTERS_PER_TOKEN = 4


class Usage:
    """What a session has put into its context, and what the current turn has answered.

    The prompt of a turn is everything before it, earlier answers included: that is what a model
    reads again each turn, and how the service bills it.

    Args:
        vertex: Vertex calls the answer's tokens ``candidates…``, AI Studio ``response…``.
    """

    def __init__(self, *, vertex: bool) -> None:
        self._answer_name = "candidates" if vertex else "response"
        self._text_characters = 0
        self._images = 0
        self._audio_ms = 0.0
        self._answer_characters = 0
        self._answer_audio_ms = 0.0

    def text_in(self, text: str) -> None:
        """Text entered the context: an instruction, a typed message, a tool's result."""
        self._text_characters += len(text)

    def image_in(self) -> None:
        """A picture entered the context."""
        self._images += 1

    def audio_in(self, duration_ms: float) -> None:
        """The caller's sound entered the context."""
        self._audio_ms += duration_ms

    def answered(self, *, audio_ms: float = 0.0, text: str = "") -> None:
        """The model put this out in the current turn."""
        self._answer_audio_ms += audio_ms
        self._answer_characters += len(text)

    def turn(self) -> dict[str, Any]:
        """The ``usageMetadata`` message of the turn that ends now; the next one starts empty."""
        prompt = _counts(self._text_characters, self._audio_ms, self._images)
        answer = _counts(self._answer_characters, self._answer_audio_ms, 0)
        self._text_characters += self._answer_characters
        self._audio_ms += self._answer_audio_ms
        self._answer_characters, self._answer_audio_ms = 0, 0.0
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


def _counts(characters: int, audio_ms: float, images: int) -> dict[str, int]:
    return {
        "TEXT": math.ceil(characters / CHARACTERS_PER_TOKEN),
        "AUDIO": math.ceil(audio_ms / 1000 * TOKENS_PER_SECOND_OF_AUDIO),
        "IMAGE": images * TOKENS_PER_IMAGE,
    }


def _details(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"modality": modality, "tokenCount": count} for modality, count in counts.items() if count
    ]
