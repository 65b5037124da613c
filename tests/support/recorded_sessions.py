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

CLOSE = "close"
"""In place of a message of the server's: the code and the reason with which it closes."""

PAUSE = "pause"
"""In place of a message of the server's: for how many seconds it sends none."""


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


@dataclass(frozen=True, slots=True)
class RecordedFacts:
    """What a caller has to be shown of a recorded session.

    Attributes:
        user_text: All that was understood of the caller's speech.
        answers: The words of each turn that has any.
        turns: How many turns were completed.
        calls: The tool calls, as (name, arguments).
        thoughts: The thoughts, which nobody may be shown.
        tokens: All the tokens that were counted, prompts and answers.
    """

    user_text: str
    answers: list[str]
    turns: int
    calls: list[tuple[str, dict[str, Any]]]
    thoughts: list[str]
    tokens: int


def facts_of(session: RecordedSession) -> RecordedFacts:
    """Reduce a recording to what has to come of it."""
    user, answer, answers, turns, calls, thoughts, tokens = "", "", [], 0, [], [], 0
    for message in session.sent_by("server"):
        content = message.get("serverContent", {})
        user += content.get("inputTranscription", {}).get("text", "")
        answer += content.get("outputTranscription", {}).get("text", "")
        for part in content.get("modelTurn", {}).get("parts", []):
            if part.get("thought"):
                thoughts.append(part["text"])
        for call in message.get("toolCall", {}).get("functionCalls", []):
            calls.append((call["name"], call["args"]))
        usage = message.get("usageMetadata", {})
        tokens += usage.get("promptTokenCount", 0)
        tokens += usage.get("responseTokenCount", usage.get("candidatesTokenCount", 0))
        if content.get("turnComplete") and content.get("interactionStatus") != "IN_PROGRESS":
            turns += 1
            if answer:
                answers.append(" ".join(answer.split()))
            answer = ""
    return RecordedFacts(" ".join(user.split()), answers, turns, calls, thoughts, tokens)
