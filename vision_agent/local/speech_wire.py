"""The frames between the engine and its speech worker. Pure.

A frame is a length (4 bytes, of what follows), a kind (1 byte), the number of the request it
belongs to (4 bytes) and its payload, in network byte order.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass

from vision_agent.local.voices import Voice

SAY = b"S"
"""To the worker: an `Order` follows."""
STOP = b"X"
"""To the worker: this request's sound is not wanted any more; its END comes all the same."""
READY = b"R"
"""From the worker, once: espeak-ng is loaded."""
PIECE = b"P"
"""From the worker: s16le mono 24 kHz, about 100 ms."""
END = b"E"
"""From the worker, last for each request: nothing more comes; in words why, if it failed."""

LENGTH = struct.Struct("!I")
_HEAD = struct.Struct("!cI")
MAX_FRAME_BYTES = 64 * 1024


class WireError(Exception):
    """The other side sent what is no frame."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sentence to speak.

    Attributes:
        text: The sentence.
        pause_ms: How much silence its sound ends with.
        languages: espeak-ng languages to try, the best first.
        voice: The speaker.
        gain_db: By how much louder than the usual loudness.
    """

    text: str
    pause_ms: int
    languages: tuple[str, ...]
    voice: Voice
    gain_db: float = 0.0

    def to_bytes(self) -> bytes:
        """Returns the payload of a SAY frame."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Order:
        """Reads the payload of a SAY frame."""
        fields = json.loads(payload)
        return cls(
            text=fields["text"],
            pause_ms=fields["pause_ms"],
            languages=tuple(fields["languages"]),
            voice=Voice(**fields["voice"]),
            gain_db=fields["gain_db"],
        )


def pack(kind: bytes, request: int, payload: bytes = b"") -> bytes:
    """Returns a whole frame, its length in front."""
    return LENGTH.pack(_HEAD.size + len(payload)) + _HEAD.pack(kind, request) + payload


def body_bytes(length: bytes) -> int:
    """Returns how many bytes follow the 4 of a frame's length.

    Raises:
        WireError: More, or less, than any frame has.
    """
    size = int(LENGTH.unpack(length)[0])
    if not _HEAD.size <= size <= MAX_FRAME_BYTES:
        raise WireError(f"A frame of {size} bytes cannot be.")
    return size


def unpack(body: bytes) -> tuple[bytes, int, bytes]:
    """Returns kind, request and payload of what followed the length."""
    kind, request = _HEAD.unpack_from(body)
    return kind, request, body[_HEAD.size :]
