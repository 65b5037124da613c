"""What the engine asks of the recogniser's process, and what comes back. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from vision_agent.local.contract import Request, Transcript

BEGIN, AUDIO, PAUSE, END, CANCEL, RESULT = range(6)
"""The messages. To the worker: BEGIN, a `Vocabulary`; AUDIO, s16le mono 16 kHz; PAUSE, it may be
over; END, nothing more comes; CANCEL, nobody wants the result. From the worker: RESULT, the last
message of each job."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What an utterance may name besides the words of the intents table.

    Attributes:
        names: What things have been taught as, sorted.
        agents: The agents that a caller may ask for, sorted.
    """

    names: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Returns the payload of a BEGIN."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Vocabulary:
        """Reads the payload of a BEGIN."""
        fields = json.loads(payload)
        return cls(tuple(fields["names"]), tuple(fields["agents"]))


def result_to_bytes(transcript: Transcript, details: Mapping[str, object]) -> bytes:
    """Returns the payload of a RESULT; the details are for the log only."""
    request = asdict(transcript.request) if transcript.request else None
    return json.dumps({"text": transcript.text, "request": request, **details}).encode()


def transcript_from_bytes(payload: bytes) -> Transcript:
    """Reads the payload of a RESULT; a transcript is understood if it holds a request."""
    fields = json.loads(payload)
    request = Request(**fields["request"]) if fields["request"] else None
    return Transcript(fields["text"], understood=request is not None, request=request)
