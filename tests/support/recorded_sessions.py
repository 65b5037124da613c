"""Sessions of the real Live API, recorded by others (`tests/recordings/README.md`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

RECORDINGS = Path(__file__).parents[1] / "recordings"

CUT = "…"
"""Ends a string of base64 of which the recording has only the beginning."""

CLOSE = "close"
"""In place of a server's message: the code and the reason of its close."""

PAUSE = "pause"
"""In place of a server's message: the seconds in which it sends none."""


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
        """The setup in the client's first message."""
        setup: dict[str, Any] = self.messages[0].message["setup"]
        return setup

    @property
    def model(self) -> str:
        """The model's name, without the path before it."""
        return str(self.setup["model"]).rpartition("/")[2]

    @property
    def on_vertex(self) -> bool:
        """Whether Vertex AI answered; otherwise AI Studio did."""
        return "publishers/" in str(self.setup["model"])

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


@dataclass(slots=True)
class RecordedFacts:
    """The facts of a recorded session that a caller has to be shown.

    Attributes:
        understood: The transcript of the caller's speech.
        said: All words of the model.
        answers: The words of each turn that has any, without interrupted turns, of which only the
            played words are shown.
        turns: How many turns were completed.
        interruptions: How many were interrupted.
        calls: The tool calls, as (name, arguments).
        thoughts: The thoughts, which nobody may be shown.
        tokens: All the tokens that were counted, prompts and answers.
    """

    understood: str = ""
    said: str = ""
    answers: list[str] = field(default_factory=list)
    turns: int = 0
    interruptions: int = 0
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    tokens: int = 0


def facts_of(session: RecordedSession) -> RecordedFacts:
    """Reduce a recording to its facts."""
    facts, answer = RecordedFacts(), ""
    for message in session.sent_by("server"):
        content = message.get("serverContent", {})
        facts.understood += content.get("inputTranscription", {}).get("text", "")
        piece = content.get("outputTranscription", {}).get("text", "")
        facts.said, answer = facts.said + piece, answer + piece
        for part in content.get("modelTurn", {}).get("parts", []):
            if part.get("thought"):
                facts.thoughts.append(part["text"])
        for call in message.get("toolCall", {}).get("functionCalls", []):
            facts.calls.append((call["name"], call.get("args", {})))
        usage = message.get("usageMetadata", {})
        facts.tokens += usage.get("promptTokenCount", 0)
        facts.tokens += usage.get("responseTokenCount", usage.get("candidatesTokenCount", 0))
        if content.get("interrupted"):
            facts.interruptions += 1
            answer = ""
        if content.get("turnComplete") and content.get("interactionStatus") != "IN_PROGRESS":
            facts.turns += 1
            facts.answers += [" ".join(answer.split())] if answer else []
            facts.said, answer = f"{facts.said} ", ""
    return facts
