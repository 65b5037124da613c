"""Sessions of the real Live API, recorded by others (`tests/recordings/README.md`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

RECORDINGS = Path(__file__).parents[1] / "recordings"

CUT = "…"
"""Ends a string of base64 of which the recording keeps the beginning only."""


@dataclass(frozen=True)
class RecordedMessage:
    """A message as it went over the WebSocket, and who sent it."""

    sender: Literal["client", "server"]
    message: dict[str, Any]


@dataclass(frozen=True)
class RecordedSession:
    """The messages of one connection, from the setup on.

    Attributes:
        name: The name of the file, without its ending.
        messages: Both sides' messages in the order of the wire.
    """

    name: str
    messages: tuple[RecordedMessage, ...]

    @cached_property
    def setup(self) -> dict[str, Any]:
        """What the client's first message sets up."""
        setup: dict[str, Any] = self.messages[0].message["setup"]
        return setup

    @property
    def model(self) -> str:
        """The model's name, without the path before it."""
        return str(self.setup["model"]).rpartition("/")[2]

    @property
    def on_vertex(self) -> bool:
        """Whether Vertex AI answered; otherwise AI Studio did."""
        return str(self.setup["model"]).startswith("publishers/")

    def sent_by(self, sender: Literal["client", "server"]) -> list[dict[str, Any]]:
        """One side's messages."""
        return [line.message for line in self.messages if line.sender == sender]


def read_recording(file: Path) -> RecordedSession:
    """Read one recorded session."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    return RecordedSession(
        file.stem, tuple(RecordedMessage(line["from"], line["message"]) for line in lines)
    )


def recorded_sessions() -> list[RecordedSession]:
    """All recorded sessions, by name."""
    return [read_recording(file) for file in sorted(RECORDINGS.glob("*/*.jsonl"))]
