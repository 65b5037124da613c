"""What the engine asks of its speech worker, and what comes back. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from vision_agent.local.engine.speech.voices import EspeakVoice

SAY, STOP, PIECE, END = range(4)
"""The messages. To the worker: SAY, an `Order`; STOP, the job's sound is no longer wanted (its END
still comes). From the worker: PIECE, s16le mono 24 kHz, about 100 ms; END, the
last for each job, in words why if it failed."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sentence to speak.

    Attributes:
        text: The sentence.
        pause_ms: How much silence its sound ends with.
        languages: espeak-ng languages to try, the best first.
        voice: The speaker.
    """

    text: str
    pause_ms: int
    languages: tuple[str, ...]
    voice: EspeakVoice

    def to_bytes(self) -> bytes:
        """Returns the payload of a SAY."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Order:
        """Reads the payload of a SAY."""
        fields = json.loads(payload)
        return cls(
            text=fields["text"],
            pause_ms=fields["pause_ms"],
            languages=tuple(fields["languages"]),
            voice=EspeakVoice(**fields["voice"]),
        )
