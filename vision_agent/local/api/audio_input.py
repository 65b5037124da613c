"""The caller's sound and signals of one session: when speech starts and stops in them.

Calls nobody: each method returns what was found, and the session acts on it.
"""

from __future__ import annotations

import numpy as np

from vision_agent.local.api import server_messages
from vision_agent.local.api.engine_port import Hearing
from vision_agent.local.api.json_fields import INVALID, PRECONDITION, Refused, invalid
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.stream_clock import StreamClock
from vision_agent.local.contract import INPUT_RATE_HZ, SpeechStarted, SpeechStopped, Transcript
from vision_agent.resampler import Resampler

SpeechEvent = SpeechStarted | SpeechStopped

_BYTES_PER_MS = 2 * INPUT_RATE_HZ / 1000

_SILENCE_MS = 20
_SILENCE = bytes(round(_SILENCE_MS * _BYTES_PER_MS))

_ECHO_TAIL_MS = 500
"""How long the agent's voice may still come back from the caller's room after it was played there:
the network, the loudspeaker's buffers and the room's own ring."""


class AudioInput:
    """Takes the caller's sound and signals in; times are milliseconds of any one clock.

    Args:
        setup: What the client asked for.
        hearing: Finds speech and transcribes it; closed by `close`.
        now_ms: When the session begins.
    """

    def __init__(self, setup: Setup, hearing: Hearing, now_ms: int) -> None:
        self._detects = setup.automatic_detection
        self._refuses_empty = setup.habits.empty_activity_ends
        self._silence_ms = setup.hearing.silence_ms
        self._hearing = hearing
        self._clock = StreamClock(now_ms)
        self._resampler: Resampler | None = None
        self._speaking = False
        self._sound_in_activity = False
        self._made_silence_ms = 0

    def stream_ms(self, now_ms: int) -> int:
        """The time of the caller's stream."""
        return self._clock.at(now_ms)

    def audio(
        self, pcm: bytes, rate_hz: int, now_ms: int, agent_until_ms: int = 0
    ) -> list[SpeechEvent]:
        """Takes the caller's next sound; returns what started or stopped in it.

        Args:
            pcm: s16le mono.
            rate_hz: Its sample rate, any that is taken.
            now_ms: The time.
            agent_until_ms: When the caller has played all of the agent's sound; until then its
                echo may be in ``pcm``.
        """
        pcm = self._at_16_khz(pcm, rate_hz)
        self._clock.audio(len(pcm) / _BYTES_PER_MS, now_ms)
        if self._detects:
            return self._feed(pcm, over_agent=now_ms < agent_until_ms + _ECHO_TAIL_MS)
        if self._speaking:
            # Outside the activity that the client signals there is nothing to transcribe.
            self._sound_in_activity = True
            self._hearing.feed(pcm)
        return []

    def activity_started(self, now_ms: int) -> list[SpeechEvent]:
        """The client says that the caller begins to speak.

        Raises:
            Refused: 1007, the server detects that itself.
        """
        self._only_without_detection()
        if self._speaking:
            return []
        self._speaking = True
        self._sound_in_activity = False
        self._hearing.begin_activity()
        return [SpeechStarted(self.stream_ms(now_ms))]

    def activity_ended(self, now_ms: int) -> list[SpeechEvent]:
        """The client says that the caller has stopped speaking.

        Raises:
            Refused: 1007, the server detects that itself, or no sound has come since the caller
                began and the model does not take that.
        """
        self._only_without_detection()
        if not self._speaking:
            return []
        if self._refuses_empty and not self._sound_in_activity:
            raise Refused(INVALID, PRECONDITION, server_messages.nothing_said())
        self._speaking = False
        self._hearing.end_activity()
        return [SpeechStopped(self.stream_ms(now_ms))]

    def microphone_closed(self) -> list[SpeechEvent]:
        """Ends the utterance with the silence that no longer comes from the caller.

        That silence is made here and does not move the stream's clock.
        """
        events: list[SpeechEvent] = []
        if not self._detects:
            return events
        made_ms = 0
        for _ in range(2 * self._silence_ms // _SILENCE_MS + 50):
            if not self._speaking:
                break
            made_ms += _SILENCE_MS
            events += self._feed(_SILENCE)
        # The hearing counts it in all the times that it gives from now on.
        self._made_silence_ms += made_ms
        return events

    async def transcript(self) -> Transcript:
        """The transcript of the oldest utterance that has stopped; called once for each."""
        return await self._hearing.transcript()

    async def close(self) -> None:
        """Drops the utterance that is being transcribed."""
        await self._hearing.close()

    def _only_without_detection(self) -> None:
        if self._detects:
            raise invalid(
                "Explicit activity control is not supported when automatic activity detection "
                "is enabled."
            )

    def _at_16_khz(self, pcm: bytes, rate_hz: int) -> bytes:
        if rate_hz == INPUT_RATE_HZ:
            return pcm
        if self._resampler is None or self._resampler.from_hz != rate_hz:
            self._resampler = Resampler(rate_hz, INPUT_RATE_HZ)
        return self._resampler.feed(np.frombuffer(pcm, np.int16))

    def _feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechEvent]:
        events: list[SpeechEvent] = []
        for event in self._hearing.feed(pcm, over_agent=over_agent):
            self._speaking = isinstance(event, SpeechStarted)
            events.append(type(event)(event.at_ms - self._made_silence_ms))
        return events
