"""What a scenario says: scripted hearing and answers, and faults. Plain frozen dataclasses.

``scenario_file`` reads them from YAML, ``script`` and ``scenario_engine`` carry out the answers,
``faults`` and ``faulty_connection`` the faults. docs/scenarios.md describes the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vision_agent.local.contract import Say, ToolRequest, Transcript

TORN_OFF = 1006
"""The close code that nobody sends: there was no close frame (RFC 6455, section 7.1.5)."""

NOT_JSON = "not-json"
UNKNOWN = "unknown"
NOISE = "noise"
GARBAGE = (NOT_JSON, UNKNOWN, NOISE)
"""Kinds of messages that no client should have to read."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause; ``inf`` lasts until the caller cuts in."""

    seconds: float


Step = Say | ToolRequest | Pause


@dataclass(frozen=True, slots=True)
class When:
    """Which turns an answer is for; all that is given has to hold, None asks for nothing.

    Attributes:
        turn: The n-th turn of the conversation, counted in its history.
        utterance: The n-th spoken turn since the server began.
        words: One of these phrases has to occur in the prompt, whole words, in any case.
        spoken: True for spoken turns, false for typed ones.
        tool: The result of this tool has come.
        pictures: At least so many frames are in the context (30 at most); 0: none.
    """

    turn: int | None = None
    utterance: int | None = None
    words: tuple[str, ...] = ()
    spoken: bool | None = None
    tool: str | None = None
    pictures: int | None = None


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What to do in the turns that ``when`` is about.

    Attributes:
        when: Which turns.
        steps: What to do, in order; none is silence.
        times: How often it is given before the next one that fits is; None for always.
    """

    when: When
    steps: tuple[Step, ...]
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection ends with this close code, or is torn off (1006)."""

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
    """``resumable: false`` is sent; for ``for_s`` every update that would be sent says so too."""

    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ExpiredHandle:
    """The handle that the client brings is taken for an expired one."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The connection is not accepted: an HTTP status, or None for a TCP reset."""

    status: int | None = None


@dataclass(frozen=True, slots=True)
class SlowReads:
    """After each message read the server waits ``each_s``, for ``for_s`` in all."""

    each_s: float
    for_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing is sent for so long, while reading continues; ``inf`` never ends.

    As a delay of ``setupComplete`` it strikes when the setup has come.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Oversized:
    """A valid message that says nothing, padded to ``size_bytes``, is sent."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something is sent that is no server message: one of `GARBAGE`."""

    what: str


FaultKind = (
    Drop | GoAway | NotResumable | ExpiredHandle | Refuse | SlowReads | Stall | Oversized | Garbage
)


@dataclass(frozen=True, slots=True)
class At:
    """When a fault strikes; all that is given has to have come about.

    Attributes:
        connection: From the n-th attempt to connect on, refused ones counted.
        setup: When the setup message has come, instead of after ``setupComplete``.
        turn: In the n-th turn of that connection, as its messages go out.
        audio_chunks: After so many pieces of sound of one answer.
        after_s: So long after the rest came about.
    """

    connection: int = 1
    setup: bool = False
    turn: int | None = None
    audio_chunks: int | None = None
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What.
        at: When; it strikes once in a connection.
        times: In how many connections; None for all.
    """

    kind: FaultKind
    at: At = At()
    times: int | None = 1

    @property
    def needs_connect(self) -> bool:
        """Whether it can only strike while a client connects."""
        return self.at.setup or isinstance(self.kind, Refuse | ExpiredHandle)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything one scenario file says; the defaults change nothing.

    Attributes:
        engine: Whether the real engine runs behind it.
        voice: Sentences are spoken by the real engine, or as a plain tone.
        hears: Transcripts for the successive utterances since the server began.
        hears_then: What comes after the last of them.
        answers: The first that fits a turn is given.
        otherwise: What to do in turns that none fits; None lets the real engine answer.
        faults: What goes wrong.
        every_s: If set, the faults come one after another, one every so many seconds.
        random: They come in a random order instead of the listed one.
        seed: Which random order, and which noise.
    """

    engine: bool = True
    voice: Literal["speech", "tone"] = "speech"
    hears: tuple[Transcript, ...] = ()
    hears_then: Literal["engine", "again", "nothing"] = "engine"
    answers: tuple[ScriptedAnswer, ...] = ()
    otherwise: tuple[Step, ...] | None = None
    faults: tuple[Fault, ...] = ()
    every_s: float | None = None
    random: bool = False
    seed: int = 0
