"""A caller that asks again and again: a real peer with a microphone, a camera and typed text."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.recording import SOUND_RATE_HZ, Recording, Samples
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.tracks import CameraTrack, MicrophoneTrack
from vision_agent.caller.transcript import CallTranscript
from vision_agent.caller.utterances import Span, utterances

QUIET_AFTER_MS = 700
"""How long after the end of an answer's sound more of it may still arrive."""

_NOT_MARKED = (
    "bot-tts-text",
    "bot-llm-text",
    "bot-output",
    "metrics",
    "frame",
    "frame_at_speech_end",
)

Kind = Literal["typed", "spoken", "tool"]


@dataclass(slots=True)
class Exchange:
    """One question and its answer, with times in ms of the call.

    Attributes:
        kind: How it was asked.
        text: The typed text; for speech, its transcript.
        asked_ms: When the question was complete.
        done_ms: When the answer was over; None if it never was.
        answers: The agent's finished transcripts.
        understood: The final transcripts of the caller's speech.
        calls: The ids of the started tool calls.
        results: The results of the tools that ended.
        interruptions: How often the answer was cut off.
        voiced_ms: How much of the agent's voice was received, counted in samples.
        marks: The events on the channel, with their times.
    """

    kind: Kind
    text: str
    asked_ms: int
    done_ms: int | None = None
    answers: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    interruptions: int = 0
    voiced_ms: int = 0
    marks: list[tuple[int, str]] = field(default_factory=list)
    turn_complete: bool = False
    error: str | None = None


class _Log(CallTranscript):
    """Records the channel's messages about the current exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange: Exchange | None = None
        self.states: list[tuple[int, str, str | None]] = []
        self.speaking = False

    def feed(self, message: str | bytes, at_ms: int) -> None:
        super().feed(message, at_ms)
        try:
            parsed = json.loads(message)
        except ValueError:
            return
        data = parsed.get("data") or {}
        kind = data.get("kind") if parsed.get("type") == "server-message" else parsed.get("type")
        if kind == "state":
            self.states.append((at_ms, data["state"], data.get("reason")))
        elif kind in ("bot-started-speaking", "bot-stopped-speaking"):
            self.speaking = kind == "bot-started-speaking"
        if (exchange := self.exchange) is None:
            return
        if kind not in _NOT_MARKED:
            state = f" {data['state']}" if kind == "state" else ""
            exchange.marks.append((at_ms, f"{kind}{state}"))
        match kind:
            case "bot-transcription":
                exchange.answers.append(data["text"].strip())
            case "user-transcription" if data.get("final"):
                exchange.understood.append(data["text"].strip())
            case "llm-function-call-in-progress":
                exchange.calls.append(data["tool_call_id"])
            case "llm-function-call-stopped":
                exchange.results.append(data.get("result"))
            case "interrupted":
                exchange.interruptions += 1
            case "turn_complete":
                exchange.turn_complete = True


class SoakCaller:
    """Dials, and then asks one question after another.

    Args:
        url: The server.
        video: What the camera shows.
        utterance: The speech, mono s16 at 48 kHz.
    """

    def __init__(self, url: str, video: Path | None, utterance: Samples) -> None:
        self._utterance = utterance
        self._spans: list[Span] = utterances(utterance, SOUND_RATE_HZ)
        self._microphone = MicrophoneTrack()
        self._camera = CameraTrack(Recording.open(video)) if video else None
        self.log = _Log()
        self.voice = ReceivedAudio()
        self._call = OutgoingCall(
            Signalling(url, None, 60.0),
            self._microphone,
            self._camera,
            self.log,
            on_message=self.log.feed,
            on_audio=self.voice.feed,
            on_state=lambda state: None,
            is_played=False,
            timeout_s=60.0,
        )

    def now_ms(self) -> int:
        return self._call.now_ms()

    async def dial(self) -> None:
        await self._call.dial({})
        if self._camera is not None:
            self._camera.play()

    async def hang_up(self) -> None:
        refused = await self._call.hang_up()
        assert refused is None, refused

    @property
    def gone(self) -> str | None:
        """Why the call is over; None while it lasts."""
        return self._call.ended

    async def ask(self, kind: Kind, text: str, timeout_s: float) -> Exchange:
        """Ask a question, and wait for the end of its answer."""
        exchange = self.log.exchange = Exchange(kind, text, self.now_ms())
        voiced_before_ms = self.voice.voiced_ms
        if kind == "spoken":
            self._microphone.speak(self._utterance)
            exchange.asked_ms += self._spans[-1].end_ms
            await asyncio.sleep(self._spans[-1].end_ms / 1000)
        else:
            self._call.type(text)
        deadline_ms = self.now_ms() + 1000 * timeout_s
        while self.gone is None and self.now_ms() < deadline_ms:
            await asyncio.sleep(0.05)
            if self._is_over(exchange):
                exchange.done_ms = self.now_ms()
                break
        exchange.voiced_ms = self.voice.voiced_ms - voiced_before_ms
        exchange.error = self.gone
        return exchange

    def _is_over(self, exchange: Exchange) -> bool:
        silent_since_ms = self.voice.silent_since()
        return (
            bool(exchange.answers)
            and exchange.turn_complete
            and not self.log.speaking
            and silent_since_ms is not None
            and silent_since_ms > exchange.asked_ms
            and self.now_ms() - silent_since_ms >= QUIET_AFTER_MS
        )
