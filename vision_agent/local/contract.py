"""The interface between the two halves of the local Live API.

The protocol side (the socket, the wire, turn-taking) hands in sound and turns; the engine side
(hearing, sight, speech, brain) hands back transcripts and what to say. Only plain dataclasses
cross between them, all frozen but `Dialogue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

INPUT_RATE_HZ = 16_000
"""Sample rate of the caller's sound: s16le mono."""

OUTPUT_RATE_HZ = 24_000
"""Sample rate of the engine's voice: s16le mono."""

SpeechSensitivity = Literal["HIGH", "LOW"]

FrameSource = Literal["camera", "screen", "picture"]
"""Where a frame is from: the camera, the shared screen, or a picture that the caller has sent."""


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
class HearingOptions:
    """When speech starts and ends; every default is the service's.

    Attributes:
        silence_ms: Silence that ends an utterance.
        start_sensitivity: How readily speech is believed to start.
        end_sensitivity: How readily speech is believed to have ended.
        prefix_padding_ms: Speech that has to last before it is believed, if the client asks for it.
    """

    silence_ms: int = 600
    start_sensitivity: SpeechSensitivity = "HIGH"
    end_sensitivity: SpeechSensitivity = "HIGH"
    prefix_padding_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The meaning of a sentence that was understood.

    Attributes:
        intent: The name of the intent.
        slots: The words for named parts, for example ``{"colour": "green"}``.
        loose: Whether no rule fits it exactly, so that a matching tool comes first.
    """

    intent: str
    slots: Mapping[str, str] = field(default_factory=dict)
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the caller said or typed; a turn is about one.

    Attributes:
        text: The words as recognised or typed; empty when nothing was said.
        understood: Whether the words make a request that the engine can answer; true for typed
            text.
        spoken: Whether the words were spoken (true) or typed (false).
        streamed: Whether typed words came in the stream of sound and frames, not as content.
        snr_db: Level of the voice over that of the noise just before it, if measured.
        lost: Whether something was said that could not be transcribed, because too many spoke at
            once or the recogniser failed; it has to be asked for again.
        deaf: Why there is no recogniser at all, in a sentence; empty if there is one.
        request: The request that the recogniser found in the words; None if it found none or did
            not look for one.
        unsure: Whether spoken words were recognised with low confidence.
    """

    text: str
    understood: bool = True
    spoken: bool = True
    streamed: bool = False
    snr_db: float | None = None
    lost: bool = False
    deaf: str = ""
    request: Request | None = None
    unsure: bool = False

    @property
    def deaf_answer(self) -> str:
        """The answer without a recogniser; empty if there is one."""
        return f"I can't hear you. {self.deaf} You can type instead." if self.deaf else ""


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """One frame of what the caller shows.

    Attributes:
        jpeg: The encoded image, as it came.
        at_ms: When it came, on the clock of the caller's stream.
        source: Where it is from, if its client says so.
    """

    jpeg: bytes
    at_ms: int
    source: FrameSource = "camera"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One function the client is asked to run."""

    id: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One side's words.

    Attributes:
        role: "user", "model", or "tool" for a result that nobody answered.
        text: The words.
        continues: Whether they continue the model's words before a function call.
    """

    role: str
    text: str
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """The model called these functions, at once."""

    calls: tuple[FunctionCall, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """A function gave a result; ``id`` is its call's."""

    id: str
    name: str
    response: Mapping[str, Any]


Entry = Said | Called | Returned
"""One entry of a conversation's record."""


@dataclass(slots=True)
class Dialogue:
    """The engine's memory of one conversation, from one turn to the next.

    The protocol side makes one for each session, hands it in with every turn, and keeps a copy
    with a resumption handle; only the engine reads and changes it.

    Attributes:
        pending: The request that waits for the caller's answer to a question.
        misses: How many times the engine could not answer.
        refused: Whether the turn before had no answer.
        called: The last tool call, whose arguments the tool's answer may repeat.
        named: The thing that the last answer about a frame named.
        told_blind: Whether the caller knows that the language model is shown no pictures.
        answered_picture: The newest picture that the caller had sent when the last question about
            something to see was answered.
    """

    pending: object | None = None
    misses: int = 0
    refused: bool = False
    called: ToolRequest | None = None
    named: object | None = None
    told_blind: bool = False
    answered_picture: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything that an answer may use.

    Attributes:
        transcript: The caller's words.
        frames: Frames, oldest first; about 30 at most.
        history: ``(role, text)`` of earlier turns, oldest first; role is "user", "model",
            or "tool" for a tool's result that wanted no answer.
        record: The same with the function calls and their results, and with the camera's frames
            left out.
        steps: The words, calls and results of this turn so far, for an answer that continues.
        recorded: Whether the transcript is part of the record already.
        tools: Function declarations as in the setup message: ``name``, ``description`` and
            ``parameters`` or ``parameters_json_schema`` (either spelling of the case).
        tool_results: Answers to the tools called in this very turn: ``id``, ``name``, ``response``.
        instruction: The agent's system instruction.
        now_ms: The stream clock when the turn ended.
        language_code: The BCP-47 code asked for in the setup, if any.
        spoken: Whether the answer is spoken; else it is read.
        alone: Whether a language model is told the instruction alone, and nothing of the call.
        proactive: Whether to stay silent on words that are not meant for the agent.
        asks_proactive: Whether the client asked for that; otherwise the model does it anyway.
        user: The user's id, under which taught things are kept; empty when unknown.
        clock: The time of day, for requests that concern a time; None when unknown.
        dialogue: The engine's memory of this conversation.
        camera_off_ms: How long the caller's camera has been off; None if it is on.
        screen_off_ms: How long the caller has no longer shared the screen; None if there is none.
        source: The source that the question is about; `frames` are of it alone.
    """

    transcript: Transcript
    frames: Sequence[SeenFrame] = ()
    history: Sequence[tuple[str, str]] = ()
    record: Sequence[Entry] = ()
    steps: Sequence[Entry] = ()
    recorded: bool = False
    tools: Sequence[Mapping[str, Any]] = ()
    tool_results: Sequence[Mapping[str, Any]] = ()
    instruction: str = ""
    now_ms: int = 0
    language_code: str | None = None
    spoken: bool = True
    alone: bool = False
    proactive: bool = False
    asks_proactive: bool = False
    user: str = ""
    clock: datetime | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    camera_off_ms: int | None = None
    screen_off_ms: int | None = None
    source: FrameSource = "camera"

    @property
    def text(self) -> str:
        """The caller's words."""
        return self.transcript.text


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence of the answer, to be spoken and shown.

    Attributes:
        text: The shown words; a leading space replaces the usual separation.
        spoken: The spoken words, if they differ from the shown ones; empty for silence.
    """

    text: str
    spoken: str | None = None


@dataclass(frozen=True, slots=True)
class Thought:
    """The model's thoughts before an answer; may be empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The answer needs this tool of the agent's; the turn continues with its result."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerTokens:
    """A language model's token counts for one request of an answer.

    Attributes:
        prompt: Tokens that it read.
        answer: Tokens that it wrote, thoughts included.
        thoughts: How many of them were thoughts.
    """

    prompt: int
    answer: int
    thoughts: int = 0


AnswerPart = Say | Thought | ToolRequest | AnswerTokens
"""A part of an answer."""
