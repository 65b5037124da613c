"""The content of a scenario: scripted transcripts, answers and faults, as frozen dataclasses.

``scenario_file`` reads it from YAML. ``script`` and ``scenario_engine`` carry out the answers,
``faults`` and ``faulty_connection`` the faults. docs/scenarios.md describes the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vision_agent.local.contract import Say, Thought, ToolRequest, Transcript

TORN_OFF = 1006
"""The close code for a missing close frame, which is never sent (RFC 6455, section 7.1.5)."""

NOT_JSON = "not-json"
UNKNOWN = "unknown"
NOISE = "noise"
GARBAGE = (NOT_JSON, UNKNOWN, NOISE)
"""Kinds of messages that are not valid server messages."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause; ``inf`` lasts until the caller interrupts."""

    seconds: float


Step = Say | Thought | ToolRequest | Pause


@dataclass(frozen=True, slots=True)
class When:
    """The turns that an answer is for. All given conditions have to hold; None is no condition.

    Attributes:
        turn: The n-th turn of the conversation, counted in its history.
        utterance: The n-th spoken turn since the server started.
        words: One of these phrases has to occur in the prompt, as whole words, in any case.
        spoken: True for spoken turns, false for typed ones.
        tool: The result of this tool has been received.
        frames: The least number of frames in the context (which holds 30 at most); 0: none.
    """

    turn: int | None = None
    utterance: int | None = None
    words: tuple[str, ...] = ()
    spoken: bool | None = None
    tool: str | None = None
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """The steps in the turns that match ``when``.

    Attributes:
        when: The turns.
        steps: The steps in order; no steps mean silence.
        times: How often the answer is given before the next matching one is used; None: always.
    """

    when: When
    steps: tuple[Step, ...]
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed with this code, or torn off without a close frame (1006)."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GoAway:
    """``goAway`` is sent, and after ``time_left_s`` the connection is closed."""

    time_left_s: float
    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotResumable:
    """``resumable: false`` is sent; during ``for_s`` every other update says so as well."""

    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ExpiredHandle:
    """The client's resumption handle is treated as expired."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The connection is refused with an HTTP status, or None for a TCP reset."""

    status: int | None = None


@dataclass(frozen=True, slots=True)
class SlowReads:
    """The server waits ``each_s`` after each message it reads, for ``for_s`` in all."""

    each_s: float
    for_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing is sent for a time, while reading continues; ``inf`` never ends.

    As a delay of ``setupComplete`` it strikes when the setup message has been received.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Oversized:
    """A valid message without content, padded to ``size_bytes``, is sent."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """A message that is not a valid server message is sent: one of `GARBAGE`."""

    what: str


FaultKind = (
    Drop | GoAway | NotResumable | ExpiredHandle | Refuse | SlowReads | Stall | Oversized | Garbage
)


@dataclass(frozen=True, slots=True)
class At:
    """When a fault strikes. All given conditions have to be met.

    Attributes:
        connection: From the n-th attempt to connect on, counting refused ones.
        setup: When the setup message has been received, instead of after ``setupComplete``.
        turn: While the messages of the n-th turn of the connection are sent.
        audio_chunks: After this many chunks of audio of one answer.
        silent_s: While nothing of any turn has been sent for this many seconds.
        after_s: Seconds after the other conditions were met.
    """

    connection: int = 1
    setup: bool = False
    turn: int | None = None
    audio_chunks: int | None = None
    after_s: float = 0.0
    silent_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What happens.
        at: When it strikes; once in a connection.
        times: In how many connections it strikes; None: in all.
    """

    kind: FaultKind
    at: At = At()
    times: int | None = 1

    @property
    def needs_connect(self) -> bool:
        """Whether it can strike only while a client connects."""
        return self.at.setup or isinstance(self.kind, Refuse | ExpiredHandle)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The content of one scenario file; the defaults change nothing.

    Attributes:
        engine: Whether the real engine runs behind the scenario.
        voice: Whether sentences are spoken by the real engine or as a plain tone.
        hears: Transcripts of the successive utterances since the server started.
        hears_then: What follows the last of these transcripts.
        answers: The answers; the first that matches a turn is given.
        otherwise: The steps in turns that no answer matches; None lets the real engine answer.
        habits: Habits of the model on the wire that are other than the table's, by name.
        faults: The faults.
        every_s: If set, the faults strike one after another, at intervals of this many seconds.
        random: Whether they strike in a random order instead of the listed one.
        seed: The seed of the random order and of the noise.
    """

    engine: bool = True
    voice: Literal["speech", "tone"] = "speech"
    hears: tuple[Transcript, ...] = ()
    hears_then: Literal["engine", "again", "nothing"] = "engine"
    answers: tuple[ScriptedAnswer, ...] = ()
    otherwise: tuple[Step, ...] | None = None
    habits: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    every_s: float | None = None
    random: bool = False
    seed: int = 0
