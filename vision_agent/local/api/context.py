"""What one session's model has before it: the words and pictures, and the tokens they count. Pure.

`SessionHistory` keeps what was said and seen, `Usage` counts its tokens; here the two stay in step.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from vision_agent.local.api.client_messages import Content
from vision_agent.local.api.context_window import Compression, turns_to_drop
from vision_agent.local.api.json_fields import invalid
from vision_agent.local.api.session_history import SavedSession, SessionHistory
from vision_agent.local.api.turn_actions import ToolResult
from vision_agent.local.api.usage import Usage
from vision_agent.local.contract import SeenFrame


class Context:
    """The context of one session, new or resumed.

    Args:
        vertex: Whether usage is told in Vertex's words.
        instruction: The system instruction.
        remembered: What a resumed session had before it.
    """

    def __init__(self, *, vertex: bool, instruction: str, remembered: SavedSession) -> None:
        self._memory = SessionHistory(remembered)
        self._usage = Usage(vertex=vertex, earlier=remembered.turns)
        self._glimpse: tuple[bytes, int] | None = None
        self.dialogue = replace(remembered.dialogue)
        self.instruct(instruction)

    @property
    def history(self) -> tuple[tuple[str, str], ...]:
        """``(role, text)``, oldest first."""
        return self._memory.history

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Pictures, oldest first."""
        return self._memory.frames

    def instruct(self, instruction: str) -> None:
        """The system instruction is this one from now on."""
        self.instruction = instruction
        self._usage.instruct(instruction)

    def glimpse(self, image: bytes, at_ms: int) -> None:
        """A picture came that is part of no turn, unless it is the last one before it."""
        self._glimpse = image, at_ms

    def take_glimpse(self) -> None:
        """A turn begins to be answered: the last picture before it is what there is to see."""
        if self._glimpse is not None:
            image, at_ms = self._glimpse
            self._glimpse = None
            self.frame(image, at_ms)

    def frame(self, image: bytes, at_ms: int) -> None:
        """A picture of the camera came at ``at_ms`` of the stream."""
        self._glimpse = None
        self._usage.frame_in()
        self._memory.saw(image, at_ms, self._usage.turn_number)

    def sound(self, duration_ms: float) -> None:
        """So much of the caller's sound counts."""
        self._usage.audio_in(duration_ms)

    def text(self, text: str) -> None:
        """The caller typed something; it is remembered when it has been answered."""
        self._usage.text_in(text)

    def content(self, content: Content, at_ms: int, *, is_question: bool) -> None:
        """A piece of ``clientContent``; a question is remembered when it has been answered."""
        if content.role == "model":
            self._usage.replayed_answer(content.text)
        else:
            self._usage.text_in(content.text)
        for image in content.images:
            self._usage.image_in()
            self._memory.saw(image, at_ms, self._usage.turn_number)
        if not is_question:
            self._said(content.role, content.text)

    def tool_answered(self, result: ToolResult) -> None:
        """A tool's result came."""
        self._usage.tool_result_in(json.dumps(result.response))

    def note(self, result: ToolResult) -> None:
        """A tool's result is to be known, and will not be answered."""
        self._said("tool", f"{result.name}: {json.dumps(result.response)}")

    def put_out(self, audio_ms: float, text: str) -> None:
        """The model put out a piece of its answer."""
        self._usage.answered(audio_ms=audio_ms, text=text)

    def turn_usage(self) -> dict[str, Any]:
        """The ``usageMetadata`` message of the turn that ends now."""
        return self._usage.turn()

    def settle(self, asked: str, answered: str) -> None:
        """A question and its answer are history now; either may be empty."""
        self._said("user", asked)
        self._said("model", answered)

    def take_unanswered(self) -> str:
        """The caller's last words, taken out again if the model has not answered them; else ""."""
        return self._memory.take_unanswered()

    @property
    def last_question(self) -> str:
        """The caller's last words that are history; "" if there are none."""
        return next((text for role, text in reversed(self.history) if role == "user"), "")

    def fit(self, compression: Compression | None, limit_tokens: int | None) -> None:
        """Makes the context short enough for the next answer.

        Args:
            compression: How it is to be shortened, if it may be.
            limit_tokens: What the model reads at most, if that is limited.

        Raises:
            Refused: 1007, it is too long and may not be shortened.
        """
        usage = self._usage
        if compression is not None:
            usage.drop(turns_to_drop(compression, usage.fixed_tokens, usage.turn_tokens))
            self._memory.forget_before(usage.first_turn)
        elif limit_tokens is not None and usage.prompt_tokens > limit_tokens:
            raise invalid(
                f"The input token count ({usage.prompt_tokens}) exceeds the maximum number of "
                f"tokens allowed ({limit_tokens})."
            )

    def remembered(self, now_ms: int, age_s: float) -> SavedSession:
        """What a resumption handle is to stand for at ``now_ms`` of the stream."""
        usage = self._usage
        snapshot = self._memory.snapshot(
            now_ms, first_turn=usage.first_turn, turns=usage.turns, age_s=age_s
        )
        return replace(snapshot, dialogue=replace(self.dialogue))

    def _said(self, role: str, text: str) -> None:
        self._memory.said(role, text, self._usage.turn_number)
