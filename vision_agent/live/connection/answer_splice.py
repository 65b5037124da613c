"""Joins an answer that is given again to the part of it that was heard before. Pure.

A connection that breaks in the middle of an answer is followed by one on which the same question
is asked again. As long as the new answer's words are those of the old one, its sound is held back;
once they have caught up, it goes on where the old one stopped. When it turns out to be another
answer, the old one is void and the new one is given from its start.
"""

from __future__ import annotations

from google.adk.models.llm_response import LlmResponse
from google.genai import types

from vision_agent.live.connection.ledger import ReceivedAnswer

OUTPUT_MIME = "audio/pcm;rate=24000"


class SplicedAnswer:
    """The present answer, over all the connections that it is given on."""

    def __init__(self) -> None:
        self._received = ReceivedAnswer()
        self._splice = AnswerSplice(self._received)

    def feed(self, response: LlmResponse) -> list[LlmResponse]:
        """Take the next response; returns what is to be passed on, in order."""
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
            Whether the turn has to be ended here, because its end will not come: the answer is
            complete, or nobody asked for it.
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
    """The second giving of one answer.

    Args:
        heard: What of the answer was received before.
    """

    def __init__(self, heard: ReceivedAnswer) -> None:
        self._expected = _words(heard.text)
        self._skip_bytes = heard.audio_bytes
        self._text = ""
        self._held: list[LlmResponse] = []
        self._joined = not heard.begun

    @property
    def joined(self) -> bool:
        """Whether the answers have met (or parted): nothing is held back any more."""
        return self._joined and not self._skip_bytes

    def feed(self, response: LlmResponse) -> list[LlmResponse]:
        """The next response; returns what is to be passed on, in order."""
        if self._joined:
            return self._pass(response)
        if response.turn_complete or response.interrupted:
            # It ended before it had caught up: what the caller has heard was more than all of it.
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
        """Passes on what is beyond the sound that was heard before."""
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
    """What of ``text``, which follows ``before``, lies beyond the expected words."""
    for end in range(len(text) + 1):
        if len(_words(before + text[:end])) >= len(expected):
            return text[end:]
    return ""
