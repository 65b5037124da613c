"""Joins a repeated answer to the part of it that was received before. Pure.

After a connection has broken in the middle of an answer, the next one is asked the same question
again. While the words of the repeated answer match those already received, its sound is held back;
once it has caught up, the rest is passed on. If the words differ, the caller's client gets an
`interrupted`, and the new answer from its start.
"""

from __future__ import annotations

from google.adk.models.llm_response import LlmResponse
from google.genai import types

from vision_agent.live.connection.received_answer import ReceivedAnswer

OUTPUT_MIME = "audio/pcm;rate=24000"


class SplicedAnswer:
    """The present answer, across all connections on which it is given."""

    def __init__(self) -> None:
        self._received = ReceivedAnswer()
        self._splice = AnswerSplice(self._received)

    def feed(self, response: LlmResponse) -> list[LlmResponse]:
        """Take the next response; returns what is passed on, in order."""
        passed = self._splice.feed(response)
        if self._splice.joined:
            self._received = ReceivedAnswer()
        return passed

    def broken_off(self, answer: ReceivedAnswer, *, owed: bool) -> bool:
        """The connection is lost.

        Args:
            answer: What had been received of the answer on that connection.
            owed: Whether the next connection is asked for the answer again.

        Returns:
            Whether the turn has to be ended here, as the model will not end it: the answer is
            complete, or no question awaits one.
        """
        longest = answer.audio_bytes >= self._received.audio_bytes
        if answer.begun and not answer.whole and longest:
            self._received = ReceivedAnswer(answer.text, answer.audio_bytes)
        over = answer.whole or (answer.begun and not owed)
        if over:
            self._received = ReceivedAnswer()
        self._splice = AnswerSplice(self._received if owed else ReceivedAnswer())
        return over


class AnswerSplice:
    """One repeated answer.

    Args:
        received: The part of the answer that was received before.
    """

    def __init__(self, received: ReceivedAnswer) -> None:
        self._expected = _words(received.text)
        self._skip_bytes = received.audio_bytes
        self._text = ""
        self._held: list[LlmResponse] = []
        self._joined = not received.begun

    @property
    def joined(self) -> bool:
        """Whether nothing is held back any more: the answers have met, or differ."""
        return self._joined and not self._skip_bytes

    def feed(self, response: LlmResponse) -> list[LlmResponse]:
        """Take the next response; returns what is passed on, in order."""
        if self._joined:
            return self._pass(response)
        if response.turn_complete or response.interrupted:
            # The repeated answer is shorter than what was received before: it is dropped.
            self._joined, self._skip_bytes, self._held = True, 0, []
            return [response]
        said = response.output_transcription
        if said and said.text and not said.finished:
            return self._said(response, said.text)
        if said or _sound(response):
            self._held.append(response)
            return []
        return [response]

    def _said(self, response: LlmResponse, text: str) -> list[LlmResponse]:
        before = self._text
        self._text += text
        words = _words(self._text)
        self._held.append(response)
        if len(words) < len(self._expected) and self._expected.startswith(words):
            return []
        self._joined = True
        held, self._held = self._held, []
        if not words.startswith(self._expected):
            self._skip_bytes = 0
            return [LlmResponse(interrupted=True), *held]
        held.pop()
        rest = _after(self._expected, before, text)
        passed = [
            out
            for one in held
            if not (one.output_transcription and not one.output_transcription.finished)
            for out in self._pass(one)
        ]
        if rest:
            partial = types.Transcription(text=rest, finished=False)
            passed.append(response.model_copy(update={"output_transcription": partial}))
        return passed

    def _pass(self, response: LlmResponse) -> list[LlmResponse]:
        """Pass on what lies beyond the sound that was received before."""
        if response.turn_complete or response.interrupted:
            self._skip_bytes = 0
        data = _sound(response)
        if not data or not self._skip_bytes:
            return [response]
        skipped = min(self._skip_bytes, len(data))
        self._skip_bytes -= skipped
        if skipped == len(data):
            return []
        rest = types.Blob(data=data[skipped:], mime_type=OUTPUT_MIME)
        part = types.Part(inline_data=rest)
        content = types.Content(role="model", parts=[part])
        return [response.model_copy(update={"content": content})]


def _sound(response: LlmResponse) -> bytes:
    parts = (response.content.parts if response.content else None) or []
    return b"".join(p.inline_data.data or b"" for p in parts if p.inline_data)


def _words(text: str) -> str:
    return " ".join(text.split())


def _after(expected: str, before: str, text: str) -> str:
    """The part of ``text``, which follows ``before``, beyond the expected words."""
    for end in range(len(text) + 1):
        if len(_words(before + text[:end])) >= len(expected):
            return text[end:]
    return ""
