"""Counting tokens as the service documents them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vision_agent.local.api.habits import LOCAL, Habits
from vision_agent.local.contract import AnswerTokens

TOKENS_PER_SECOND_OF_AUDIO = 25
CHARACTERS_PER_TOKEN = 4


@dataclass(slots=True)
class Amounts:
    """The input: characters of text, milliseconds of sound, images and camera frames."""

    characters: int = 0
    audio_ms: float = 0.0
    images: int = 0
    video_frames: int = 0

    def add(self, other: Amounts) -> None:
        """Adds another input."""
        self.characters += other.characters
        self.audio_ms += other.audio_ms
        self.images += other.images
        self.video_frames += other.video_frames

    def tokens(self, image_tokens: int) -> dict[str, int]:
        """Tokens of each modality, those with none left out.

        Args:
            image_tokens: What an image or a frame counts.
        """
        counts = {
            "TEXT": math.ceil(self.characters / CHARACTERS_PER_TOKEN),
            "AUDIO": math.ceil(self.audio_ms / 1000 * TOKENS_PER_SECOND_OF_AUDIO),
            "IMAGE": self.images * image_tokens,
            "VIDEO": self.video_frames * image_tokens,
        }
        return {modality: count for modality, count in counts.items() if count}


class Usage:
    """What a session has put into its context, turn by turn, and what the model answered.

    The prompt of a turn is everything before it, earlier answers included: that is what a model
    reads again each turn, and how the service bills it. A turn here begins with something of the
    user's after an answer, so that the context can be cut in front of it.

    Args:
        vertex: Vertex calls the answer's tokens ``candidates…``, AI Studio ``response…``.
        habits: What an image counts, and what of all that is counted is said.
        earlier: The turns of the session that is resumed.
    """

    def __init__(
        self, *, vertex: bool, habits: Habits = LOCAL, earlier: Sequence[Amounts] = ()
    ) -> None:
        self._habits = habits
        self._answer_name = "candidates" if vertex else "response"
        self._instruction = Amounts()
        self._turns = [replace(turn) for turn in earlier] or [Amounts()]
        self._answered = bool(earlier)
        self._answer = Amounts()
        self._caption_characters = 0
        self._thought_characters = 0
        self._call_characters = 0
        self._counted: AnswerTokens | None = None
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
        return sum(self._tokens(self._instruction).values())

    @property
    def turn_tokens(self) -> list[int]:
        """Tokens of each turn in the context, oldest first."""
        return [sum(self._tokens(turn).values()) for turn in self._turns]

    @property
    def prompt_tokens(self) -> int:
        """The input of the model's next answer."""
        return sum(self._tokens(self._prompt()).values())

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

    def captioned(self, words: str) -> None:
        """Words of a spoken answer, which count beside its sound on some models."""
        self._caption_characters += len(words)

    def thought(self, text: str) -> None:
        """The model thought this in the current turn."""
        self._thought_characters += len(text)

    def called(self, call: str) -> None:
        """The model called a function in the current turn."""
        self._call_characters += len(call)

    def counted(self, tokens: AnswerTokens) -> None:
        """A language model counted these for the current turn, beside earlier ones."""
        before = self._counted or AnswerTokens(0, 0)
        self._counted = AnswerTokens(
            before.prompt + tokens.prompt,
            before.answer + tokens.answer,
            before.thoughts + tokens.thoughts,
        )

    def prompt(self) -> dict[str, Any]:
        """The ``usageMetadata`` of a prompt that has no answer yet."""
        prompt = self._tokens(self._prompt())
        count = sum(prompt.values()) + self._habits.uncounted_tokens
        return {
            "usageMetadata": {
                "promptTokenCount": count,
                "totalTokenCount": count,
                "promptTokensDetails": _details(prompt),
            }
        }

    def turn(self, *, prompt_only: bool = False) -> dict[str, Any]:
        """The ``usageMetadata`` of the turn that ends now.

        Args:
            prompt_only: Whether the answer is left out.
        """
        usage, answer = self.prompt()["usageMetadata"], self._answer_tokens()
        self._turns[-1].add(self._answer)
        thoughts = math.ceil(self._thought_characters / CHARACTERS_PER_TOKEN)
        calls = math.ceil(self._call_characters / CHARACTERS_PER_TOKEN)
        if calls and not thoughts and self._habits.call_tokens == "text":
            answer = {"TEXT": answer.pop("TEXT", 0) + calls, **answer}
        self._answer = Amounts()
        self._caption_characters = self._thought_characters = self._call_characters = 0
        self._answered = True
        counted, self._counted = self._counted, None
        if counted is not None:
            return {"usageMetadata": self._as_counted(counted)}
        if not prompt_only:
            count = sum(answer.values()) + (calls if self._habits.call_tokens == "sum" else 0)
            usage = {
                "promptTokenCount": usage["promptTokenCount"],
                f"{self._answer_name}TokenCount": count,
                "totalTokenCount": usage["totalTokenCount"] + count,
                "promptTokensDetails": usage["promptTokensDetails"],
                f"{self._answer_name}TokensDetails": _details(answer),
            }
        if thoughts:
            # Not part of the total.
            usage["thoughtsTokenCount"] = thoughts
        return {"usageMetadata": usage}

    def _as_counted(self, counted: AnswerTokens) -> dict[str, Any]:
        """The ``usageMetadata`` of a language model's counts: it reads and writes text."""
        said = counted.answer - counted.thoughts
        usage: dict[str, Any] = {
            "promptTokenCount": counted.prompt,
            f"{self._answer_name}TokenCount": said,
            "totalTokenCount": counted.prompt + said,
            "promptTokensDetails": _details({"TEXT": counted.prompt}),
            f"{self._answer_name}TokensDetails": _details({"TEXT": said}),
        }
        return usage | ({"thoughtsTokenCount": counted.thoughts} if counted.thoughts else {})

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

    def _tokens(self, amounts: Amounts) -> dict[str, int]:
        return amounts.tokens(self._habits.image_tokens)

    def _answer_tokens(self) -> dict[str, int]:
        if not self._habits.counts_words or not self._answer.audio_ms:
            return self._tokens(self._answer)
        seconds = int(self._answer.audio_ms // 1000)
        words = math.ceil(self._caption_characters / CHARACTERS_PER_TOKEN)
        return {"TEXT": words, "AUDIO": seconds * TOKENS_PER_SECOND_OF_AUDIO}

    def _prompt(self) -> Amounts:
        prompt = replace(self._instruction)
        for turn in self._turns:
            prompt.add(turn)
        return prompt


def _details(counts: dict[str, int]) -> list[dict[str, Any]]:
    # A count of nothing is left out, as protocol buffers in JSON are.
    return [
        {"modality": modality, **({"tokenCount": count} if count else {})}
        for modality, count in counts.items()
    ]
