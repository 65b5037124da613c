"""The context of one session: text, frames, and the tokens they count. Pure.

`SessionHistory` keeps what was said and seen, `Usage` counts its tokens; `Context` keeps the two
in step.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.api.client_messages import Content
from vision_agent.local.api.context_window import Compression, turns_to_drop
from vision_agent.local.api.json_fields import invalid
from vision_agent.local.api.session_history import MAX_FRAMES, SavedSession, SessionHistory
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turn_actions import BeginAnswer, ToolResult
from vision_agent.local.api.usage import Usage
from vision_agent.local.contract import (
    AnswerTokens,
    Called,
    Entry,
    FunctionCall,
    Returned,
    Said,
    SeenFrame,
    Turn,
)

_CHARACTERS_PER_MS = 0.015
"""How fast words are assumed to be spoken that are sent ahead of their sound."""

_NOT_SPOKEN = -math.inf
"""When the words of an answer in text begin: they can't be cut off."""


class Context:
    """The context of one session, new or resumed.

    Args:
        setup: How usage is reported, what of the caller's sound and frames is part of a turn, and
            the system instruction.
        saved: What a resumed session had before it.
    """

    def __init__(self, setup: Setup, saved: SavedSession) -> None:
        self._setup = setup
        self._coverage = setup.coverage
        self._history = SessionHistory(saved)
        self._usage = Usage(vertex=setup.endpoint.vertex, habits=setup.habits, earlier=saved.turns)
        self._latest_frame: tuple[bytes, int] | None = None
        self._streamed: deque[tuple[bytes, int]] = deque(maxlen=MAX_FRAMES)
        self._speech_began_ms: int | None = None
        self._answer: list[tuple[str, float]] = []
        self._answer_ms = 0.0
        self._answer_length = 0
        self._steps: list[tuple[int, Entry]] = []
        self.dialogue = replace(saved.dialogue)
        self.instruct(setup.instruction)

    @property
    def history(self) -> tuple[tuple[str, str], ...]:
        """``(role, text)``, oldest first."""
        return self._history.history

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Frames, oldest first."""
        return self._history.frames

    def instruct(self, instruction: str) -> None:
        """Replaces the system instruction."""
        self.instruction = instruction
        self._usage.instruct(instruction)

    def frame(self, data: bytes, at_ms: int, *, speaking: bool) -> None:
        """A frame of the camera came.

        Args:
            data: JPEG, PNG or WebP.
            at_ms: When, on the clock of the caller's stream.
            speaking: Whether the caller speaks. With the coverage ``ACTIVITY`` other frames are
                part of no turn, except the last one before a turn.
        """
        self._latest_frame = None
        if self._coverage == "ACTIVITY" and not speaking:
            self._latest_frame = data, at_ms
        elif self._setup.habits.typed_sees_stream:
            self._keep_frame(data, at_ms)
        else:
            self._streamed.append((data, at_ms))

    def answer_begins(self, answer: BeginAnswer) -> None:
        """An answer begins: the frames of the stream that it may see become part of the turn.

        A turn that came as content leaves the stream's frames to the next one that came in the
        stream. Of frames outside activity the last one before a turn is part of it.
        """
        prompt = answer.prompt
        if not (self._setup.habits.typed_sees_stream or prompt.spoken or prompt.streamed):
            return
        frames = [*self._streamed]
        self._streamed.clear()
        if self._latest_frame is not None and not answer.tool_results:
            frames.append(self._latest_frame)
            self._latest_frame = None
        for data, at_ms in frames:
            self._keep_frame(data, at_ms)

    def sound(self, duration_ms: float) -> None:
        """The caller's sound came; it counts where all input is part of a turn."""
        if self._coverage == "EVERYTHING":
            self._usage.audio_in(duration_ms)

    def speech_started(self, at_ms: int) -> None:
        """The caller began to speak at ``at_ms`` of the stream."""
        self._speech_began_ms = at_ms

    def speech_stopped(self, at_ms: int) -> None:
        """The caller stopped speaking; speech counts where not all sound does."""
        if self._speech_began_ms is not None and self._coverage != "EVERYTHING":
            self._usage.audio_in(max(0, at_ms - self._speech_began_ms))
        self._speech_began_ms = None

    def text(self, text: str) -> None:
        """The caller typed something; it is remembered when it has been answered."""
        self._usage.text_in(text)

    def content(
        self, content: Content, at_ms: int, *, is_question: bool, after_question: bool = False
    ) -> None:
        """A piece of ``clientContent``; a question is remembered when it has been answered.

        Args:
            content: The piece.
            at_ms: When it came, on the clock of the caller's stream.
            is_question: Whether it asks what is answered next.
            after_question: Whether it follows what does: its calls belong to that turn.
        """
        if content.role == "model":
            self._usage.replayed_answer(content.text)
        else:
            self._usage.text_in(content.text)
        self._saw(content.images, at_ms)
        if not is_question and not adk_dialect.shows_result(content.text):
            self._add(Said(content.role, content.text))
        steps: list[Entry] = [Called(content.calls)] if content.calls else []
        for result in content.results:
            self._saw_result(result, at_ms)
            steps.append(Returned(result.id, result.name, result.response))
        for step in steps:
            if after_question:
                self._steps.append((len(self._answer), step))
            else:
                self._add(step)

    def tool_answered(self, result: ToolResult, at_ms: int) -> None:
        """A tool's result came, at ``at_ms`` of the stream."""
        self._usage.tool_result_in(json.dumps(result.response))
        self._saw_result(result, at_ms)
        returned = Returned(result.id, result.name, result.response)
        called = [step.calls for _, step in self._steps if isinstance(step, Called)]
        if any(result.id == call.id for calls in called for call in calls):
            self._steps.append((len(self._answer), returned))
        else:
            # Of a call in the background, whose turn may be over.
            self._add(returned)

    def note(self, result: ToolResult) -> None:
        """Keeps a tool's result in the history without an answer."""
        self._add(Said("tool", f"{result.name}: {json.dumps(result.response)}"))

    def audio_out(self, duration_ms: float) -> None:
        """A piece of the answer's sound went out."""
        self._usage.answered(audio_ms=duration_ms)
        self._answer_ms += duration_ms

    def text_out(self, text: str) -> None:
        """A piece of an answer in text went out."""
        self._usage.answered(text=text)
        self._answer.append((text, _NOT_SPOKEN))

    def caption_out(self, words: str, *, ahead: bool = False) -> None:
        """Words of a spoken answer go out.

        Args:
            words: The words.
            ahead: Whether their sound comes later, instead of next.
        """
        self._usage.captioned(words)
        due_ms = self._answer_length / _CHARACTERS_PER_MS if ahead else 0.0
        self._answer.append((words, max(self._answer_ms, due_ms)))
        self._answer_length += len(words)

    def cut_off(self, unplayed_ms: float) -> None:
        """The caller cut in: the words of sound that was not played are no part of the answer."""
        played_ms = self._answer_ms - unplayed_ms
        self._answer = [(words, begins) for words, begins in self._answer if begins < played_ms]

    def thought_out(self, text: str) -> None:
        """The model thought something before its answer."""
        self._usage.thought(text)

    def called(self, calls: Sequence[FunctionCall]) -> None:
        """The model called functions."""
        self._steps.append((len(self._answer), Called(tuple(calls))))
        for call in calls:
            self._usage.called(call.name + json.dumps(dict(call.args)))

    def tokens(self, counted: AnswerTokens) -> None:
        """A language model has counted the tokens of an answer."""
        self._usage.counted(counted)

    def prompt_usage(self) -> dict[str, Any]:
        """The ``usageMetadata`` beside the first message of an answer, where there is one."""
        return self._usage.prompt() if self._prompt_only else {}

    def turn_usage(self) -> dict[str, Any]:
        """The ``usageMetadata`` message of the turn that ends now."""
        return self._usage.turn(prompt_only=self._prompt_only)

    def turn(
        self, answer: BeginAnswer, tools: Sequence[Mapping[str, Any]], now_ms: int, user: str
    ) -> Turn:
        """Everything the engine makes an answer of.

        Args:
            answer: What is answered.
            tools: The function declarations.
            now_ms: The time of the caller's stream.
            user: Whose conversation it is.
        """
        return Turn(
            answer.prompt,
            frames=self.frames,
            history=self.history,
            record=self._history.record,
            steps=self._turn_so_far(),
            recorded=answer.recorded,
            tools=tools,
            tool_results=[
                {"id": result.id, "name": result.name, "response": result.response}
                for result in answer.tool_results
            ],
            instruction=self.instruction,
            now_ms=now_ms,
            language_code=self._setup.language_code,
            spoken=self._setup.spoken,
            proactive=self._setup.proactive,
            asks_proactive=self._setup.asks_proactive,
            user=user,
            clock=datetime.now(),  # this machine's, because the caller's is unknown
            dialogue=self.dialogue,
        )

    def settle(self, asked: str) -> None:
        """The question, and the part of the answer that was sent, become history."""
        self._add(Said("user", asked))
        for entry in self._turn_so_far():
            self._add(entry)
        self._answer, self._steps = [], []
        self._answer_ms, self._answer_length = 0.0, 0

    def take_unanswered(self) -> str:
        """The caller's last words, taken out again if the model has not answered them; else ""."""
        return self._history.take_unanswered()

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
            self._history.forget_before(usage.first_turn)
        elif limit_tokens is not None and usage.prompt_tokens > limit_tokens:
            raise invalid(
                f"The input token count ({usage.prompt_tokens}) exceeds the maximum number of "
                f"tokens allowed ({limit_tokens})."
            )

    def saved(self, now_ms: int, age_s: float) -> SavedSession:
        """The state that a resumption handle restores, at ``now_ms`` of the stream."""
        usage = self._usage
        snapshot = self._history.snapshot(
            now_ms, first_turn=usage.first_turn, turns=usage.turns, age_s=age_s
        )
        return replace(snapshot, dialogue=replace(self.dialogue))

    @property
    def _prompt_only(self) -> bool:
        return self._setup.habits.prompt_only and not self._setup.tools

    def _saw_result(self, result: ToolResult, at_ms: int) -> None:
        if self._setup.habits.result_images:
            self._saw(result.images, at_ms)

    def _saw(self, images: Iterable[bytes], at_ms: int) -> None:
        for image in images:
            self._usage.image_in()
            self._history.saw(image, at_ms, self._usage.turn_number)

    def _keep_frame(self, data: bytes, at_ms: int) -> None:
        self._usage.frame_in()
        self._history.saw(data, at_ms, self._usage.turn_number)

    def _add(self, entry: Entry) -> None:
        self._history.add(entry, self._usage.turn_number)

    def _turn_so_far(self) -> tuple[Entry, ...]:
        """The words, calls and results of the present turn."""
        entries: list[Entry] = []
        begun = False
        at = 0
        for until, step in [*self._steps, (len(self._answer), None)]:
            words = " ".join("".join(words for words, _ in self._answer[at:until]).split())
            if words:
                entries.append(Said("model", words, continues=begun))
                begun = True
            if step is not None:
                entries.append(step)
            at = max(at, until)
        return tuple(entries)
