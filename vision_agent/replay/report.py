"""What happened in a replayed call, as figures and as JSON; `report_page` makes a page of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vision_agent.caller.received_audio import ReceivedAudio, write_wav
from vision_agent.caller.transcript import CallTranscript, Point, ToolCallRecord, TranscriptLine
from vision_agent.caller.utterances import Span

TIMELINE_ZERO = "the moment the caller began to dial, before it made its offer"


@dataclass(slots=True)
class Utterance:
    """One thing the caller said, as the caller itself measured it.

    Attributes:
        started_at_ms: When its first voiced sample left the microphone.
        ended_at_ms: When its last one did.
        reply_ms: From there to the arrival of the first voiced packet of the agent; None when
            nothing came before the caller spoke again.
        silenced_ms: If the agent was speaking when the utterance began: how long its voice went
            on. None if it was quiet.
    """

    started_at_ms: int
    ended_at_ms: int
    reply_ms: int | None
    silenced_ms: int | None


@dataclass(slots=True)
class Report:
    """One call. Every `…_at_ms` and `at_ms` counts from `TIMELINE_ZERO`; None is "never happened".

    Attributes:
        connected_ms: From zero until media could flow (ICE and DTLS done).
        frames_sent: Pictures that reached the model, as the server announced each of them.
        jpeg_bytes: Median size of those.
        frame_age_ms: How old the newest picture the model had was at the end of the caller's
            speech, as the server announced it (0 for one taken after that end); the largest of
            these when the caller stopped speaking several times.
        transcript: Both sides as the server transcribed them, in the order they began.
        reply_ms: The first `reply_ms` of `utterances` that isn't None.
        utterances: What the caller said. A typed question is one of no length.
        agent_audio_ms: Received sound of the agent that was voiced.
        voice_ms: Its stretches, `[from, to]`, at least 300 ms apart.
        interruptions: Answers broken off because the caller spoke, as the server announced them.
        tool_calls: Tools the agent used.
        points: What it pointed at.
        errors: Everything that went wrong, in words.
        answered: Whether the agent's voice was heard after something was said; where nothing was
            said (a silent recording and no question), whether it was heard at all.
        ended: Why the call ended.
        voice: The sound itself; not part of the JSON.
    """

    connected_ms: int | None = None
    frames_sent: int = 0
    jpeg_bytes: int | None = None
    frame_age_ms: int | None = None
    transcript: list[TranscriptLine] = field(default_factory=list)
    reply_ms: int | None = None
    utterances: list[Utterance] = field(default_factory=list)
    agent_audio_ms: int = 0
    voice_ms: list[tuple[int, int]] = field(default_factory=list)
    interruptions: int = 0
    tool_calls: list[ToolCallRecord] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answered: bool = False
    ended: str = ""
    voice: ReceivedAudio = field(default_factory=ReceivedAudio)

    def said(self, who: str = "agent") -> str:
        """Return everything that one side ("user" or "agent") said, in one line."""
        return " ".join(line.text for line in self.transcript if line.who == who)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the sound, ready for JSON."""
        figures = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("voice", "transcript", "utterances", "tool_calls", "points")
        }
        return {
            "timeline_zero": TIMELINE_ZERO,
            **figures,
            "transcript": [asdict(line) for line in self.transcript],
            "utterances": [asdict(utterance) for utterance in self.utterances],
            "tool_calls": [asdict(call) for call in self.tool_calls],
            "points": [asdict(point) for point in self.points],
        }

    def write_json(self, path: Path) -> None:
        """Write `to_dict` as UTF-8 JSON.

        Raises:
            OSError: The file can't be written.
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        # JSON's own escape stands for what UTF-8 can't: an unpaired surrogate of the server's.
        path.write_bytes((text + "\n").encode("utf-8", "backslashreplace"))

    def write_wav(self, path: Path) -> None:
        """Write the agent's voice: mono s16 at 48 kHz, as it was received.

        It begins with the agent's first voiced packet and ends with the last one; what lies
        between is real time, pauses included. No voice makes an empty, valid file.

        Raises:
            OSError: The file can't be written.
        """
        write_wav(path, self.voice.samples())


def make_report(
    *,
    connected_ms: int | None,
    spoken: Sequence[Span],
    transcript: CallTranscript,
    received: ReceivedAudio,
    errors: Sequence[str],
    ended: str,
) -> Report:
    """Work out a call's figures.

    Args:
        connected_ms: See `Report`.
        spoken: The caller's utterances on the call's timeline, in order.
        transcript: What came over the channel.
        received: What came over the audio track.
        errors: What went wrong on the caller's side.
        ended: Why the call ended.
    """
    utterances = []
    for index, span in enumerate(spoken):
        answered_ms = received.first_after(span.end_ms)
        following = spoken[index + 1 : index + 2]
        if answered_ms is not None and any(answered_ms >= each.start_ms for each in following):
            answered_ms = None  # it answers the next utterance
        utterances.append(
            Utterance(
                started_at_ms=span.start_ms,
                ended_at_ms=span.end_ms,
                reply_ms=None if answered_ms is None else answered_ms - span.end_ms,
                silenced_ms=received.silenced_after(span.start_ms),
            )
        )
    replies = [u.reply_ms for u in utterances if u.reply_ms is not None]
    return Report(
        connected_ms=connected_ms,
        frames_sent=len(transcript.jpeg_bytes),
        jpeg_bytes=round(statistics.median(transcript.jpeg_bytes))
        if transcript.jpeg_bytes
        else None,
        frame_age_ms=max(transcript.frame_ages_ms, default=None),
        transcript=transcript.lines,
        reply_ms=replies[0] if replies else None,
        utterances=utterances,
        agent_audio_ms=received.voiced_ms,
        voice_ms=[(s.start_ms, s.end_ms) for s in received.stretches],
        interruptions=transcript.interruptions,
        tool_calls=list(transcript.tool_calls.values()),
        points=transcript.points,
        errors=[*errors, *transcript.errors],
        answered=bool(replies) if utterances else received.voiced_ms > 0,
        ended=ended,
        voice=received,
    )
