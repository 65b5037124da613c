"""The model's side of a call: what the agent says and does, on its way to the caller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from vision_agent.calls.barge_in import BargeIn
from vision_agent.calls.bot_output import BotOutput
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_transcript import CallerTranscript
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.metrics import Metrics, Tally
from vision_agent.calls.options import OutputOptions
from vision_agent.calls.server_messages import (
    AgentMessage,
    InterruptedMessage,
    TurnCompleteMessage,
)
from vision_agent.calls.transcript_aligner import TranscriptAligner, cut
from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentReplaced,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
    AgentTurnComplete,
    AgentTurnPaused,
    LiveEvent,
    UserTranscript,
)
from vision_agent.live.session import LiveSession
from vision_agent.rtc import Speaker
from vision_agent.rtc.speaker import BYTES_PER_MS


class AgentOutput:
    """Sends the agent's voice to the speaker and everything else to the caller's client.

    It observes the model's connection (`live.connection.observer.ConnectionObserver`).

    Args:
        view: The caller's client and the call's state.
        metrics: The server's counters.
        trace: What happens when.
        options: How a suspected barge-in is handled, and what is told of the agent's tools.
        speaks: Whether the model answers in sound; otherwise its words are only shown.
        overhear: Called with every event after it was handled.
    """

    def __init__(
        self,
        view: CallerView,
        metrics: Metrics,
        trace: CallTrace,
        options: OutputOptions,
        *,
        speaks: bool = True,
        overhear: Callable[[LiveEvent], None] | None = None,
    ) -> None:
        self._overhear = overhear
        self._view = view
        self._channel = view.channel
        self._metrics, self._trace = metrics, trace
        self._answer = TranscriptAligner()
        self._agent = ""
        self._tools: dict[str, str | None] = {}
        self._tool_reports = options.tool_reports
        self._barge_in = BargeIn(options.barge_in_hold_ms)
        self._hold: asyncio.TimerHandle | None = None
        self.speaker = Speaker(on_speaking=self._on_speaking)
        self._caller = CallerTranscript()
        self._tally = Tally()
        self._speaks = speaks
        self._next_in_words = self._in_words = False
        # A turn that was cut off, or has called a tool, is complete only later: the model then has
        # yet to answer what was asked, or what the tool has returned.
        self._goes_on = False
        self._bot_output = BotOutput(
            view.channel, lambda: self.speaker.played_ms, lambda: self.speaker.queued_ms
        )

    def answer_next_in_words(self, in_words: bool) -> None:
        """Set whether the next answer is only shown, and not spoken."""
        self._next_in_words = in_words

    def renew(self) -> None:
        """Make a speaker for a new peer connection; it plays what the old one had not played."""
        old, self.speaker = self.speaker, Speaker(on_speaking=self._on_speaking)
        self.speaker.continue_from(old)

    async def run(self, session: LiveSession) -> None:
        """Handle the session's events to its end; raises `LiveFailure` if the model fails."""
        self._metrics.model_sessions.inc()
        try:
            async with aclosing(session.events()) as events:
                async for event in events:
                    self._take(event)
        finally:
            if self._answer and self._overhear is not None:
                # The call ends in the middle of an answer.
                played = session.played_at_end
                self._overhear(AgentInterrupted(self.played() if played is None else played))
            self._metrics.model_sessions.dec()
            self._stop_holding()
            self._bot_output.close()

    # Barge-in

    def caller_sounds(self, level: float, loud: bool) -> None:
        """Take the next 20 ms of the caller's sound.

        Args:
            level: The mean square of the samples.
            loud: Whether it stands out of the room's noise.
        """
        speaking, now_ms = self.speaker.speaking, 1000 * time.monotonic()
        if self._barge_in.feed(level, loud, speaking, now_ms):
            self.speaker.pause()
            self._trace.paused()
            self._await_interruption()

    def _await_interruption(self) -> None:
        """Resume playback when the hold ends; by a timer, because no more sound may arrive."""
        now_ms = 1000 * time.monotonic()
        wait_ms = self._barge_in.hold_until_ms - now_ms
        if wait_ms > 0:
            loop = asyncio.get_running_loop()
            self._hold = loop.call_later(wait_ms / 1000, self._await_interruption)
            return
        self._hold = None
        self._metrics.false_starts.inc()
        self._barge_in.was_nothing(now_ms)
        self.speaker.resume()
        self._trace.resumed()

    def _stop_holding(self) -> None:
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def played(self) -> str:
        """What has been played of the present answer, marked if that is not all of it."""
        if self._in_words:
            return " ".join(self._answer.text.split())
        return cut(self._answer.played(self.speaker.played_ms), self._answer.text)

    def count(self) -> None:
        """Add what happened since the last time to the server's counters."""
        messages = self._metrics.messages
        self._tally.add(messages.labels("refused"), self._channel.refused_messages)
        self._tally.add(messages.labels("lost"), self._channel.dropped_messages)

    # ConnectionObserver

    def connected(self) -> None:
        """The model is connected, for the first time or again."""
        self._trace.done("connect model", "reconnect model")
        if self._view.state == "reconnecting":
            self._view.settle()
        elif self._view.state == "connecting":
            self._view.set_state("listening")

    def lost(self, why: str) -> None:
        """The model's connection is lost; what the caller says meanwhile is kept for it."""
        self._metrics.model_reconnects.inc()
        self._trace.begin("reconnect model", {"vision_agent.lost": why})
        if self._view.state != "connecting":
            self._view.set_state("reconnecting", why.removesuffix("."))

    def cancelled(self, call_ids: list[str]) -> None:
        """The model has cancelled these tool calls: show them as stopped."""
        for call_id in call_ids:
            if call_id in self._tools:
                name = self._tools.pop(call_id)
                self._channel.tool_stopped(call_id, name, None, cancelled=True)
        self._view.tools_run(len(self._tools))

    def unanswered(self, why: str) -> None:
        """The model does not answer; the call goes on, and the caller may ask again."""
        self._metrics.model_failures.labels("silent").inc()
        self._view.tell(why)

    # The model's events

    def _take(self, event: LiveEvent) -> None:
        if isinstance(event, AgentInterrupted) and event.played is None:
            event = AgentInterrupted(self.played())
        if isinstance(event, AgentReplaced) and event.played is None:
            event = replace(event, played=self.played())
        self._on_event(event)
        if self._overhear is not None:
            self._overhear(event)

    def _on_event(self, event: LiveEvent) -> None:
        match event:
            case AgentAudio(pcm):
                self._open_answer()
                self._place(pcm)
            case AgentTranscript(text, final=False, author=agent):
                self._open_answer()
                self._speaks_now(agent)
                self._words(text)
                self._channel.bot_text(text)
            case AgentTranscript(text, final=True):
                # Shown when the turn ends: how much of it was played is known only then.
                if not self._answer.text:
                    self._words(text)
            case UserTranscript(text, final=False):
                if understood := self._caller.piece(text).strip():
                    self._channel.user_transcript(understood, False)
            case UserTranscript(text, final=True):
                self._tell_understood(self._caller.whole(text))
            case AgentInterrupted(played):
                # Typed words that cut in are being thought about; what is spoken may go on.
                asked = self._view.state == "thinking"
                self._metrics.interruptions.inc()
                self._barge_in.interrupted()
                self._cut_off(played or "", settles=not asked)
                self._goes_on = True
            case AgentReplaced(text, agent, played):
                if self._answer or self.speaker.queued_ms:
                    self._cut_off(played or "", settles=False)
                if text:
                    self._open_answer()
                    self._in_words = True
                    self._speaks_now(agent)
                    self._words(text)
                    self._channel.bot_text(text)
            case AgentTurnPaused():
                self.speaker.flush()
            case AgentTurnComplete():
                self._trace.complete(sound_waits=self.speaker.queued_ms > 0)
                self.speaker.flush()
                if self._answer:
                    self._bot_output.end(self._answer, spoken=self._is_spoken)
                goes_on, self._goes_on = self._goes_on, False
                self._close_answer(" ".join(self._answer.text.split()), settles=not goes_on)
                self._view.show(TurnCompleteMessage(goes_on))
            case AgentToolCall(call_id, name, arguments):
                self._tell_understood(self._caller.answered())
                self._goes_on = True
                shown = self._tools[call_id] = None if self._tool_reports == "none" else name
                self._view.tools_run(len(self._tools))
                full = self._tool_reports == "full"
                self._channel.tool_started(call_id, shown, dict(arguments) if full else None)
            case AgentToolResult(call_id, _, result):
                if call_id in self._tools:
                    full = self._tool_reports == "full"
                    shown = self._tools.pop(call_id)
                    self._channel.tool_stopped(call_id, shown, dict(result) if full else None)
                self._view.tools_run(len(self._tools))

    def _cut_off(self, played: str, *, settles: bool) -> None:
        """The present answer ends where it has been played to."""
        self._trace.interrupted()
        self._stop_holding()
        self._bot_output.interrupt(self._answer, played if self._is_spoken else "")
        self.speaker.clear()
        self._view.show(InterruptedMessage(played))
        self._close_answer(played, settles=settles)

    @property
    def _is_spoken(self) -> bool:
        """Whether the present answer is spoken."""
        return self._speaks and not self._in_words

    def _words(self, text: str) -> None:
        self._answer.words(text)
        self._bot_output.words(self._answer, text, spoken=self._is_spoken)

    def _tell_understood(self, text: str) -> None:
        if text:
            self._channel.user_transcript(text, True)

    def _speaks_now(self, agent: str) -> None:
        """Show which of several agents the words that follow are from, if it has changed."""
        if agent != self._agent:
            self._agent = agent
            self._view.show(AgentMessage(agent))

    def _open_answer(self) -> None:
        self._goes_on = False
        if not self._view.answering:
            self._trace.opened()
            self._tell_understood(self._caller.answered())
            self._in_words, self._next_in_words = self._next_in_words, False
            self._view.answering = True
            self._channel.bot_thinking(True)

    def _place(self, pcm: bytes) -> None:
        if self._in_words:
            return
        start_ms = self.speaker.played_ms + self.speaker.queued_ms
        self.speaker.write(pcm)
        self._answer.sound(start_ms, len(pcm) / BYTES_PER_MS)

    def _close_answer(self, text: str, *, settles: bool) -> None:
        if self._view.answering:
            self._view.answering = False
            self._channel.bot_thinking(False)
        if text:
            self._channel.bot_transcript(text)
        self._answer = TranscriptAligner()
        self._in_words = False
        state = self._view.state
        over = state == "thinking" or (state == "speaking" and not self.speaker.queued_ms)
        if over and settles:
            # A model may end its turn while its tools still run.
            self._view.settle()

    def _on_speaking(self, speaking: bool) -> None:
        self._trace.sounding(speaking)
        self._channel.bot_speaking(speaking)
        if speaking:
            self._view.set_state("speaking")
        elif self._view.state == "speaking":
            self._view.settle()
