"""The report of a replayed call: figures, and JSON. `report_page` makes a page of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vision_agent.caller.received_audio import ReceivedAudio, write_wav
from vision_agent.caller.transcript import CallTranscript, Point, ToolCallRecord, TranscriptLine
from vision_agent.replay.caller_words import CallerWords

TIMELINE_ZERO = "the moment the caller began to dial, before it made its offer"


@dataclass(slots=True)
class Utterance:
    """An utterance of the caller's, as the caller measured it.

    Attributes:
        started_at_ms: When its first voiced sample was sent.
        ended_at_ms: When its last voiced sample was sent.
        reply_ms: From `ended_at_ms` to the arrival of the agent's first voiced packet; None if none
            came before the caller spoke again.
        silenced_ms: How long the agent's voice continued after the utterance began; None if the
            agent was silent then.
        turn: The caller's turn, from 1. A step of a script is one turn, however often it pauses; in
            a recording that plays on, each utterance is a turn.
        typed: The typed line; None if it was spoken.
    """

    started_at_ms: int
    ended_at_ms: int
    reply_ms: int | None
    silenced_ms: int | None
    turn: int = 1
    typed: str | None = None


@dataclass(slots=True)
class Report:
    """One call. Times are in ms from `TIMELINE_ZERO`; None: it never happened.

    Attributes:
        call_id: The call's id at the server; None if the server refused it.
        connected_ms: When media could flow (ICE and DTLS done).
        frames_sent: How many frames reached the model, as the server announced them.
        jpeg_bytes: The frames' median size.
        frame_age_ms: The age of the model's newest frame at the end of the caller's speech, as the
            server announced it; 0 for a frame taken after that end. The largest, if the caller
            stopped speaking several times.
        transcript: Both sides' words as the server transcribed them, in the order they began.
        reply_ms: The first `reply_ms` of `utterances` that is not None.
        utterances: What the caller said, in order. A typed line is an utterance without length.
        agent_audio_ms: How much voiced sound was received from the agent.
        voice_ms: The voiced stretches, `[from, to]`, at least 300 ms apart; an interrupted answer
            and the next one may be closer.
        interrupted_ms: When answers were interrupted, as the server announced it.
        tool_calls: The tools the agent used.
        points: What the agent pointed at.
        usage: The tokens and their estimated cost, as the server reported them last.
        errors: Everything that went wrong, in words.
        answered: Whether the agent's voice followed the caller's words; if the caller said nothing
            (a silent recording and no question), whether it came at all. In a call that asked for
            answers in text (`modalities`), words count in place of a voice. False if the model, the
            server or the connection ended the call before the answer was over.
        broke_off: Whether the model, the server or the connection ended the call, or there was
            none.
        ended: Why the call ended.
        ended_ms: When; None if it was not made.
        voice: The received sound; not part of the JSON.
    """

    call_id: str | None = None
    connected_ms: int | None = None
    frames_sent: int = 0
    jpeg_bytes: int | None = None
    frame_age_ms: int | None = None
    transcript: list[TranscriptLine] = field(default_factory=list)
    reply_ms: int | None = None
    utterances: list[Utterance] = field(default_factory=list)
    agent_audio_ms: int = 0
    voice_ms: list[tuple[int, int]] = field(default_factory=list)
    interrupted_ms: list[int] = field(default_factory=list)
    tool_calls: list[ToolCallRecord] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    usage: dict[str, Any] | None = None
    errors: list[str] = field(default_factory=list)
    answered: bool = False
    broke_off: bool = False
    ended: str = ""
    ended_ms: int | None = None
    voice: ReceivedAudio = field(default_factory=ReceivedAudio)

    @property
    def interruptions(self) -> int:
        """How many answers were interrupted."""
        return len(self.interrupted_ms)

    def said(self, who: str = "agent") -> str:
        """Return everything one side ("user" or "agent") said, as one line."""
        return " ".join(line.text for line in self.transcript if line.who == who)

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the sound, ready for JSON."""
        figures = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("voice", "transcript", "utterances", "tool_calls", "points")
        }
        return {
            "timeline_zero": TIMELINE_ZERO,
            **figures,
            "interruptions": self.interruptions,
            "transcript": [asdict(line) for line in self.transcript],
            "utterances": [asdict(utterance) for utterance in self.utterances],
            "tool_calls": [asdict(call) for call in self.tool_calls],
            "points": [asdict(point) for point in self.points],
        }

    def write_json(self, path: Path, **further: Any) -> None:
        """Write `to_dict` and further fields as UTF-8 JSON.

        Raises:
            OSError: The file can't be written.
        """
        text = json.dumps(self.to_dict() | further, indent=2, ensure_ascii=False)
        # UTF-8 has no unpaired surrogates, which a server may send: JSON's escape stands for them.
        path.write_bytes((text + "\n").encode("utf-8", "backslashreplace"))

    def write_wav(self, path: Path) -> None:
        """Write the agent's voice as it was received: mono s16 at 48 kHz.

        The file runs from the agent's first voiced packet to the last, pauses included. Without
        any voice it is empty and valid.

        Raises:
            OSError: The file can't be written.
        """
        write_wav(path, self.voice.samples())


def make_report(
    *,
    call_id: str | None = None,
    connected_ms: int | None,
    words: Sequence[CallerWords],
    transcript: CallTranscript,
    received: ReceivedAudio,
    errors: Sequence[str],
    ended: str,
    ended_ms: int | None = None,
    broke_off: bool = False,
    unanswered: bool = False,
    in_text: bool = False,
) -> Report:
    """Compute the figures of a call.

    Args:
        call_id: See `Report`.
        connected_ms: See `Report`.
        words: The caller's utterances and typed lines, in order.
        transcript: The messages of the data channel.
        received: The sound of the audio track.
        errors: The errors on the caller's side.
        ended: Why the call ended.
        ended_ms: See `Report`.
        broke_off: See `Report`.
        unanswered: The caller's last words were not answered in time.
        in_text: The call asked for answers in text.
    """
    utterances = []
    for index, span in enumerate(words):
        answered_ms = received.first_after(span.end_ms)
        following = words[index + 1 : index + 2]
        if answered_ms is not None and any(answered_ms >= each.start_ms for each in following):
            answered_ms = None  # it answers the next utterance
        utterances.append(
            Utterance(
                started_at_ms=span.start_ms,
                ended_at_ms=span.end_ms,
                reply_ms=None if answered_ms is None else answered_ms - span.end_ms,
                silenced_ms=received.silenced_after(span.start_ms),
                turn=span.turn,
                typed=span.typed,
            )
        )
    replies = [u.reply_ms for u in utterances if u.reply_ms is not None]
    asked_ms = words[0].end_ms if words else 0
    in_words = in_text and any(
        line.who == "agent" and line.at_ms >= asked_ms for line in transcript.lines
    )
    return Report(
        call_id=call_id,
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
        interrupted_ms=transcript.interrupted_ms,
        tool_calls=list(transcript.tool_calls.values()),
        points=transcript.points,
        usage=transcript.usage,
        errors=[*errors, *transcript.errors],
        answered=not (broke_off or unanswered)
        and (in_words or (bool(replies) if utterances else received.voiced_ms > 0)),
        broke_off=broke_off,
        ended=ended,
        ended_ms=ended_ms,
        voice=received,
    )
