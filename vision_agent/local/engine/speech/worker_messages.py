"""The messages between the engine and its two speech workers. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from vision_agent.local.engine.speech.voices import EspeakVoice, Voice, VoiceShape

SAY, STOP, PIECE, END = range(4)
"""The messages. To the worker: SAY with an `Order`; STOP, the job's sound is no longer wanted (its
END is still sent). From the worker: PIECE with about 100 ms of s16le mono 24 kHz; END, the last
message of each job, with the reason if the job failed."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sentence, or part of it, to speak.

    Attributes:
        text: What to say.
        pause_ms: The silence at the end of its sound.
        languages: espeak-ng languages to try, the best first; hibari speaks English only.
        voice: The speaker.
    """

    text: str
    pause_ms: int
    languages: tuple[str, ...]
    voice: Voice

    def to_bytes(self) -> bytes:
        """Returns the payload of a SAY."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Reads the payload of a SAY."""
        fields: dict[str, Any] = json.loads(payload)
        voice = fields["voice"]
        return cls(
            text=fields["text"],
            pause_ms=fields["pause_ms"],
            languages=tuple(fields["languages"]),
            voice=Voice(VoiceShape(**voice["english"]), EspeakVoice(**voice["espeak"])),
        )
