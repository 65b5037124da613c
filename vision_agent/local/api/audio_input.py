"""The caller's side of one session: its sound, what starts and stops in it, and what was said.

Decides nothing: the ears find speech or the client signals it, `turns` is told, and what it wants
done is handed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from vision_agent.local.api import client_messages, server_messages
from vision_agent.local.api.context import Context
from vision_agent.local.api.engine_port import Hearing
from vision_agent.local.api.json_fields import invalid
from vision_agent.local.api.resampler import Resampler
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.stream_clock import StreamClock
from vision_agent.local.api.turn_actions import Action
from vision_agent.local.api.turns import Caller, Turns
from vision_agent.local.contract import INPUT_RATE_HZ, SpeechStarted, SpeechStopped

_BYTES_PER_MS = 2 * INPUT_RATE_HZ / 1000

_SILENCE_MS = 20
_SILENCE = bytes(round(_SILENCE_MS * _BYTES_PER_MS))

_ECHO_TAIL_MS = 500
"""How long the agent's voice may still come back from the caller's room after it was heard there:
the network, the loudspeaker's buffers and the room's own ring."""


class AudioInput:
    """Takes the caller's sound and signals in.

    Args:
        setup: What the client asked for.
        ears: What hears; stays the session's to close.
        turns: Told what the caller does.
        context: Where sound is counted.
        now_ms: The time.
        do: Carries out what `turns` wants done.
        send: Sends a message to the client.
    """

    def __init__(
        self,
        setup: Setup,
        ears: Hearing,
        turns: Turns,
        context: Context,
        now_ms: Callable[[], int],
        do: Callable[[Sequence[Action]], None],
        send: Callable[[server_messages.ServerMessage], None],
    ) -> None:
        self._setup = setup
        self._ears = ears
        self._turns = turns
        self._context = context
        self._now_ms = now_ms
        self._do = do
        self._send = send
        self._clock = StreamClock(now_ms())
        self._resampler: Resampler | None = None
        self._speech_began_ms: int | None = None
        self._made_silence_ms = 0
        self._to_hear = asyncio.Semaphore(0)
        self._transcribed = False

    @property
    def stream_ms(self) -> int:
        """The time of the caller's stream."""
        return self._clock.at(self._now_ms())

    def audio(self, pcm: bytes, rate_hz: int) -> None:
        """The caller's sound: s16le mono at any rate that is taken."""
        pcm = self._at_16_khz(pcm, rate_hz)
        duration_ms = len(pcm) / _BYTES_PER_MS
        self._clock.audio(duration_ms, self._now_ms())
        if self._setup.coverage == "EVERYTHING":
            self._context.sound(duration_ms)
        if self._setup.automatic_detection:
            heard_until_ms = self._turns.heard_until_ms + _ECHO_TAIL_MS
            self._detected(self._ears.feed(pcm, over_agent=self._now_ms() < heard_until_ms))
        elif self._turns.caller is Caller.SPEAKING:
            # Outside the activity that the client signals there is nothing to hear.
            self._ears.feed(pcm)

    def signalled(
        self, signal: client_messages.ActivityStart | client_messages.ActivityEnd
    ) -> None:
        """The client says that the caller begins or has ended.

        Raises:
            Refused: 1007, the server finds that out itself.
        """
        if self._setup.automatic_detection:
            raise invalid(
                "Explicit activity control is not supported when automatic activity detection "
                "is enabled."
            )
        at_ms = self.stream_ms
        speaking = self._turns.caller is Caller.SPEAKING
        if isinstance(signal, client_messages.ActivityStart) and not speaking:
            self._speech_began_ms = at_ms
            self._ears.begin_activity()
            self._do(self._turns.caller_started(self._now_ms()))
        elif isinstance(signal, client_messages.ActivityEnd) and speaking:
            self._count_speech(at_ms)
            self._ears.end_activity()
            self._do(self._turns.caller_stopped())

    def microphone_closed(self) -> None:
        """No more sound comes to end the utterance with, so the silence that would is made here.

        It is not the caller's and does not move the stream's clock.
        """
        if not self._setup.automatic_detection:
            return
        made_ms = 0
        for _ in range(2 * self._setup.hearing.silence_ms // _SILENCE_MS + 50):
            if self._turns.caller is not Caller.SPEAKING:
                break
            made_ms += _SILENCE_MS
            self._detected(self._ears.feed(_SILENCE))
        # The ears count it in all they hear from now on.
        self._made_silence_ms += made_ms

    def transcribe_next(self) -> None:
        """One more utterance is over: `run` finds out what was said."""
        self._to_hear.release()

    def turn_over(self) -> None:
        """What is heard from now on begins another turn's transcript."""
        self._transcribed = False

    async def run(self) -> None:
        """Transcribes one utterance after the other, until cancelled."""
        while True:
            await self._to_hear.acquire()
            transcript = await self._ears.transcript()
            if transcript.text and self._setup.input_transcription:
                # Clients join a turn's transcripts as they come.
                lead = " " if self._transcribed else ""
                self._transcribed = True
                self._send(server_messages.input_transcription(lead + transcript.text))
            self._do(self._turns.transcribed(transcript))

    def _at_16_khz(self, pcm: bytes, rate_hz: int) -> bytes:
        if rate_hz == INPUT_RATE_HZ:
            return pcm
        if self._resampler is None or self._resampler.rate_hz != rate_hz:
            self._resampler = Resampler(rate_hz)
        return self._resampler.resample(pcm)

    def _detected(self, events: Sequence[SpeechStarted | SpeechStopped]) -> None:
        for event in events:
            at_ms = event.at_ms - self._made_silence_ms
            if isinstance(event, SpeechStarted):
                self._speech_began_ms = at_ms
                self._report_voice("ACTIVITY_START", at_ms)
                self._do(self._turns.caller_started(self._now_ms()))
            else:
                self._count_speech(at_ms)
                self._report_voice("ACTIVITY_END", at_ms)
                self._do(self._turns.caller_stopped())

    def _count_speech(self, ended_ms: int) -> None:
        if self._speech_began_ms is not None and self._setup.coverage != "EVERYTHING":
            self._context.sound(max(0, ended_ms - self._speech_began_ms))
        self._speech_began_ms = None

    def _report_voice(self, kind: str, at_ms: int) -> None:
        if self._setup.voice_activity:
            self._send(server_messages.voice_activity(kind, at_ms))
