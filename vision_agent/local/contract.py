"""What the two halves of the local Live API say to each other.

The protocol side (the socket, the wire, turn-taking) hands in sound and turns; the engine side
(hearing, sight, speech, brain) hands back what it heard and what to say. Only plain dataclasses
cross between them, all frozen but `Dialogue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

INPUT_RATE_HZ = 16_000
"""Sample rate of the caller's sound: s16le mono."""

OUTPUT_RATE_HZ = 24_000
"""Sample rate of the engine's voice: s16le mono."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak at ``at_ms`` of the stream (samples fed / 16)."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller's last voiced sound was at ``at_ms`` of the stream; the silence after it is over.

    The event itself comes ``silence_ms`` later in the stream than ``at_ms``.
    """

    at_ms: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How something was said.

    Attributes:
        loudness_db: Level of the voiced sound, dB relative to full scale (so, negative).
        words_per_minute: Pace, or None when too little was said to tell.
        noise_db: Level of what else was to be heard just before, likewise; None if not known.
    """

    loudness_db: float
    words_per_minute: float | None = None
    noise_db: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said.

    Attributes:
        text: The transcript; the best guess when not understood; empty when nothing was heard.
        understood: Whether both recognisers agreed on a sentence the engine can answer.
        manner: How it was said, if that was measured.
        lost: Whether something was said that could not be listened to, because too many spoke at
            once or the recogniser failed; it has to be asked for again.
    """

    text: str
    understood: bool
    manner: Manner | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One picture from the caller's camera.

    Attributes:
        jpeg: The picture, as it came.
        at_ms: When it came, on the clock of the caller's stream.
    """

    jpeg: bytes
    at_ms: int


@dataclass(slots=True)
class Dialogue:
    """What the engine keeps in mind of one conversation from one turn to the next.

    The protocol side makes one for each session, hands it in with every turn, and keeps a copy
    with a resumption handle; only the engine reads and changes it.

    Attributes:
        pending: What was asked for and still needs something that the caller was asked about.
        misses: How many times the engine could not answer.
        refused: Whether the turn before had no answer.
        called: The tool that was called last, whose arguments its answer may repeat.
    """

    pending: object | None = None
    misses: int = 0
    refused: bool = False
    called: CallTool | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything an answer may be made of.

    Attributes:
        text: What the caller said or typed.
        understood: For speech, ``Heard.understood``; for typed text, true.
        spoken: Whether the text was heard (true) or typed (false).
        frames: Pictures, oldest first, newest last; about 30 at most.
        history: ``(role, text)`` of earlier turns, oldest first; role is "user", "model",
            or "tool" for what a tool told without asking for an answer.
        tools: Function declarations as in the setup message: ``name``, ``description`` and
            ``parameters`` or ``parameters_json_schema`` (either spelling of the case).
        tool_results: Answers to the tools called in this very turn: ``id``, ``name``, ``response``.
        instruction: The agent's system instruction.
        now_ms: The stream clock when the turn ended.
        language_code: The BCP-47 code asked for in the setup, if any.
        manner: How the text was spoken, if it was and that was measured.
        lost: ``Heard.lost``: something was said, and nobody knows what.
        proactive: Whether to stay silent on what is not meant for the agent.
        affective: Whether the answer may follow the caller's manner.
        user: Whose call it is, to keep what a user teaches; empty when unknown.
        clock: The time of day, for whoever asks for it or for something at a time; None when
            unknown.
        dialogue: What the engine keeps in mind of this conversation.
        camera_off_ms: For how long the caller's camera has been off, if it is.
    """

    text: str
    understood: bool
    spoken: bool
    frames: Sequence[SeenFrame] = ()
    history: Sequence[tuple[str, str]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    tool_results: Sequence[Mapping[str, Any]] = ()
    instruction: str = ""
    now_ms: int = 0
    language_code: str | None = None
    manner: Manner | None = None
    lost: bool = False
    proactive: bool = False
    affective: bool = False
    user: str = ""
    clock: datetime | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    camera_off_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence of the answer, to be spoken and shown."""

    text: str


@dataclass(frozen=True, slots=True)
class CallTool:
    """The answer needs this tool of the agent's; the turn goes on with its result."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)
