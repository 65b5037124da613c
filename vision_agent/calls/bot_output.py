"""Shows the agent's words to the caller's client, and how many of them have been played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from vision_agent.calls.answer_segments import AnswerSegments
from vision_agent.calls.transcript_aligner import TranscriptAligner, played_length
from vision_agent.rtc import Channel

PROGRESS_EVERY_S = 0.2


@dataclass(slots=True)
class _Playing:
    """An answer that has not been played to its end."""

    answer: TranscriptAligner
    segments: AnswerSegments
    whole: bool = False


class BotOutput:
    """Sends RTVI's `bot-output`: each segment as soon as it is complete, then its progress.

    An answer may still be playing when the next one arrives, so several can be in progress.

    Args:
        channel: The caller's client.
        played_ms: Returns how much sound of all answers has been played.
        queued_ms: Returns how much sound waits to be played.
    """

    def __init__(
        self, channel: Channel, played_ms: Callable[[], int], queued_ms: Callable[[], int]
    ) -> None:
        self._channel = channel
        self._played_ms = played_ms
        self._queued_ms = queued_ms
        self._playing: list[_Playing] = []
        self._next_number = 1
        self._timer: asyncio.TimerHandle | None = None

    def words(self, answer: TranscriptAligner, text: str, *, spoken: bool) -> None:
        """Show more words of an answer.

        Args:
            answer: The answer; it contains the words already.
            text: The words.
            spoken: Whether they are spoken, or only shown.
        """
        playing = self._of(answer)
        for segment in playing.segments.words(text):
            self._channel.bot_output_new(segment.number, segment.text, will_be_spoken=spoken)
        if spoken:
            self._watch()

    def end(self, answer: TranscriptAligner, *, spoken: bool) -> None:
        """All words of an answer have arrived."""
        playing = self._of(answer)
        playing.whole = True
        for segment in playing.segments.end():
            self._channel.bot_output_new(segment.number, segment.text, will_be_spoken=spoken)
        self._next_number = playing.segments.next_number
        if spoken:
            self._watch()
        else:
            self._playing.remove(playing)

    def interrupt(self, answer: TranscriptAligner, played: str) -> None:
        """The progress of all answers stops here; that of the interrupted one at its last word.

        Args:
            answer: The one that was interrupted.
            played: The words of it that have been played, as `cut` gives them.
        """
        self._show_progress(answer, played_length(played, answer.text))
        for playing in self._playing:
            self._next_number = max(self._next_number, playing.segments.next_number)
        self._playing.clear()

    def close(self) -> None:
        """Show nothing more."""
        self._playing.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _of(self, answer: TranscriptAligner) -> _Playing:
        for playing in self._playing:
            if playing.answer is answer:
                return playing
        playing = _Playing(answer, AnswerSegments(self._next_number))
        self._playing.append(playing)
        return playing

    def _watch(self) -> None:
        """Show progress by a timer while sound is played: the speaker only says when it stops."""
        if self._timer is None and self._playing:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(PROGRESS_EVERY_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._show_progress()
        self._watch()

    def _show_progress(self, interrupted: TranscriptAligner | None = None, length: int = 0) -> None:
        played_ms, silent = self._played_ms(), not self._queued_ms()
        for playing in list(self._playing):
            over = playing.whole and silent
            answer = playing.answer
            if answer is interrupted:
                chars = length
            else:
                chars = len(answer.text if over else answer.played(played_ms))
            for progress in playing.segments.spoken(chars):
                segment, said = progress.segment, progress.spoken
                self._channel.bot_output_progress(segment.number, segment.text, said)
            if over:
                self._playing.remove(playing)
