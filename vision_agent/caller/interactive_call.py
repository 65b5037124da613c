"""A call in turns: times replies, reports levels and captions, records both sides."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aiortc import MediaStreamTrack

from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.ending import CallProgress
from vision_agent.caller.failure import CallFailed, sentence
from vision_agent.caller.level import rms
from vision_agent.caller.live_captions import LiveCaptions
from vision_agent.caller.observer import CallObserver
from vision_agent.caller.playout import Playout
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples
from vision_agent.caller.reply_watch import ReplyWatch
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.taps import TappedAudio
from vision_agent.caller.transcript import CallTranscript, Point, ToolCallRecord, TranscriptLine


class InteractiveCall(OutgoingCall):
    """A call while the context lasts: dialled on entering, hung up on leaving.

    Args:
        signalling: The server.
        microphone: What the caller says.
        camera: What the caller shows, if anything.
        playout: Where the agent's voice goes.
        observer: Receives the call's events.
        recorder: Records both sides, if wanted; closed with the call.
        received: Keeps the agent's voice, if wanted.
        asked: Options of this call (`voice`, `language`, `modalities`).
        timeout_s: The longest wait for the server, and for an answer.
        screen: A screen that the caller shares beside the camera; None for none.
    """

    def __init__(
        self,
        signalling: Signalling,
        microphone: MediaStreamTrack,
        camera: MediaStreamTrack | None,
        playout: Playout,
        observer: CallObserver,
        *,
        recorder: CallRecorder | None = None,
        received: ReceivedAudio | None = None,
        asked: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
        screen: MediaStreamTrack | None = None,
    ) -> None:
        self._asked = dict(asked or {})
        self._playout, self._observer, self._recorder = playout, observer, recorder
        self._received = received
        self._watch = ReplyWatch()
        self._typed: tuple[int, int] | None = None
        self._captions = LiveCaptions(observer.partial, observer.state)
        super().__init__(
            signalling,
            TappedAudio(microphone, self._on_sent),
            camera,
            CallTranscript(lambda who, text, at_ms: observer.line(who, text), observer.note),
            on_message=self._take_message,
            on_audio=self._take_audio,
            on_state=observer.state,
            is_played=True,
            timeout_s=timeout_s,
            screen=screen,
        )

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """Who ("user" or "agent") said what, in order."""
        return [(line.who, line.text) for line in self._transcript.lines]

    @property
    def lines(self) -> list[TranscriptLine]:
        """The transcript with times, and with the name of the agent who speaks."""
        return self._transcript.lines

    @property
    def tool_calls(self) -> list[ToolCallRecord]:
        """The tools the agent has used, in order."""
        return list(self._transcript.tool_calls.values())

    @property
    def points(self) -> list[Point]:
        """What the agent has pointed at, in order."""
        return self._transcript.points

    @property
    def recorded(self) -> bool:
        """Whether the server records the call now."""
        return self._transcript.recorded

    @property
    def usage(self) -> dict[str, Any] | None:
        """The tokens so far and an estimate of what they cost, as the server said last."""
        return self._transcript.usage

    @property
    def silent_ms(self) -> int:
        """For how long the agent has been silent."""
        return self.now_ms() - (self._watch.silent_since_ms or 0)

    @property
    def camera_seen_ms(self) -> int | None:
        """When the newest frame of the camera that reached the model was captured; None before."""
        return self._transcript.camera_seen_ms

    @property
    def last_reply_ms(self) -> int | None:
        """From the end of the caller's last words to the agent's voice; None while it is silent."""
        watch = self._watch
        if watch.said_ms is None or watch.answered_ms is None:
            return None
        return watch.answered_ms - watch.said_ms

    async def __aenter__(self) -> Self:
        try:
            await self.dial(self._asked)
        except BaseException:
            await self.hang_up()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The same Ctrl-C may have stopped the server, so a refused goodbye is not an error.
        await self.hang_up()

    def keep_audio(self, received: ReceivedAudio | None) -> None:
        """Keep the agent's voice there from now on."""
        self._received = received

    def type(self, text: str) -> str | None:
        """Send a typed line; returns its id, None if it waits for another connection.

        Raises:
            CallFailed: The call has ended, or the server takes no line of that length.
        """
        now_ms, errors = self.now_ms(), len(self._transcript.errors)
        line_id = super().type(text)
        self._watch.typed(now_ms)
        self._typed = now_ms, errors
        return line_id

    async def until_answered(self, *, in_text: bool = False) -> str:
        """Wait until the answer to what was said or typed last is over; returns how it ended.

        Args:
            in_text: The agent answers in text: no voice is waited for.

        Raises:
            CallFailed: The call ended meanwhile, or the server refused what was typed.
        """
        return await self.until_over(lambda: self._progress(in_text=in_text))

    def _progress(self, *, in_text: bool) -> CallProgress:
        self._check_refused()
        return CallProgress(
            now_ms=self.now_ms(),
            said_ms=self._watch.said_ms,
            expects_answer=True,
            answered_ms=self._watch.answered_ms,
            silent_since_ms=self._watch.silent_since_ms,
            received_ms=self._watch.received_ms,
            turn_complete_ms=self._transcript.turn_complete_ms,
            is_busy=self._transcript.is_busy,
            timeout_ms=round(self._timeout_s * 1000),
            in_text=in_text,
        )

    def _check_refused(self) -> None:
        """Raise the server's error if it answered the last typed line with one."""
        if self._typed is None or self._watch.answered_ms is not None:
            return
        typed_ms, errors_before = self._typed
        refused = self._transcript.errors[errors_before:]
        if refused and typed_ms == self._watch.said_ms:
            self._typed = None
            raise CallFailed(sentence(refused[0]))

    async def hang_up(self) -> str | None:
        """Hang up as every call does, and finish the recording."""
        refused = await super().hang_up()
        if self._recorder is not None:
            self._recorder.close()
        return refused

    def _on_sent(self, samples: Samples, at_s: float) -> None:
        now_ms, level = self.timeline_ms(at_s), rms(samples)
        self._observer.level("user", level)
        self._watch.sent(level, now_ms)
        if self._recorder is not None:
            self._recorder.caller(samples, now_ms)

    def _take_audio(self, samples: Samples, arrived_ms: int) -> None:
        level = rms(samples)
        self._playout.push(samples, level)
        self._observer.level("agent", level)
        reply_ms = self._watch.received(level, len(samples) * 1000 // SOUND_RATE_HZ, arrived_ms)
        if reply_ms is not None:
            self._observer.reply(reply_ms)
        if self._recorder is not None:
            self._recorder.agent(samples, arrived_ms)
        if self._received is not None:
            self._received.feed(samples, arrived_ms)

    def _take_message(self, message: str | bytes, at_ms: int) -> None:
        known = len(self._transcript.interrupted_ms)
        self._transcript.feed(message, at_ms)
        if len(self._transcript.interrupted_ms) > known:
            self._watch.interrupted(at_ms)
            if self._received is not None:
                self._received.interrupted(at_ms)
        self._captions.feed(message)
