"""A caller's actions in a call, step by step. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from vision_agent.caller.rtvi import Track
from vision_agent.caller.transcript import TranscriptLine

Source = Literal["camera", "screen"]


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a sound.

    Attributes:
        pcm: s16le mono. It may hold several utterances with silence between them; a sound without
            a voice counts as silence.
        rate_hz: Its sample rate.
    """

    pcm: bytes
    rate_hz: int


@dataclass(frozen=True, slots=True)
class TypeText:
    """Type a line (RTVI `send-text`).

    Attributes:
        text: The line.
        spoken_answer: False asks for an answer in text alone.
    """

    text: str
    spoken_answer: bool = True


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Send any other message of the data channel, such as a picture or a piece of context.

    Attributes:
        message: RTVI 2.1.
        asks: The question in it, in words; empty if no answer is due.
    """

    message: Mapping[str, Any]
    asks: str = ""


@dataclass(frozen=True, slots=True)
class SendPicture:
    """Send a picture file in the call; the next question is about it.

    Attributes:
        path: JPEG, PNG, WebP or GIF.
        name: Its name for the server.
    """

    path: Path
    name: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Switch the microphone, the camera or the shared screen on or off."""

    what: Track
    on: bool


@dataclass(frozen=True, slots=True)
class Show:
    """Show another video or image from its beginning; switches the source on."""

    path: Path
    source: Source = "camera"


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for this many seconds, whatever the agent does."""

    seconds: float


Action = Speak | TypeText | SendMessage | SendPicture | Switch | Show | Wait


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a caller does, and when.

    A step without a time begins as soon as the step before is over: the words have been answered,
    the model has a frame of the new video, or the wait has passed.

    Attributes:
        action: What is done.
        at_ms: When, in ms since the recordings began to play. A time in the past means at once,
            without a wait for the answer to the step before.
        into_answer_ms: The step begins this long after the agent's voice began to answer the step
            before.
        awaits_answer: Whether a following step without a time waits for the answer to this one.
            Otherwise it begins once this one has been said.
        shown_ms: The part of the recordings that plays with the step: they skip to its beginning
            when the step begins, and wait at its end for the next step. None: they play on.
    """

    action: Action
    at_ms: int | None = None
    into_answer_ms: int | None = None
    awaits_answer: bool = True
    shown_ms: tuple[float, float] | None = None

    @property
    def is_timed(self) -> bool:
        """Whether it begins at a given time, not after the answer to the step before."""
        return self.at_ms is not None or self.into_answer_ms is not None


class CallScript(Protocol):
    """A caller: a list of steps, or one that decides during the call.

    Attributes:
        shows: The sources that it may show with `Show` although the call begins without them.
    """

    @property
    def shows(self) -> Collection[Source]:
        """See the class."""

    async def next(self, so_far: list[TranscriptLine]) -> Step | None:
        """Return the next step; None ends the call.

        It is called when the step before is over; after a step with `at_ms`, as soon as that has
        begun; after one that awaits no answer, as soon as it has been said. The call goes on
        meanwhile.

        Args:
            so_far: Both sides' words, without typed lines: servers do not repeat those.

        Raises:
            CallFailed: The caller can't go on; the call ends, and its report says why.
        """


class FixedScript:
    """A list of steps, for one call.

    Args:
        steps: In the order in which they begin.
        stays_ms: The least time between the beginning of the last step and the hang-up.

    Attributes:
        steps: The steps. A step before one with a time awaits no answer.
        stays_ms: The same.
    """

    def __init__(self, steps: Sequence[Step], stays_ms: int = 0) -> None:
        self.stays_ms = stays_ms
        following = [*steps[1:], None][: len(steps)]
        self.steps = [
            replace(step, awaits_answer=False) if after is not None and after.is_timed else step
            for step, after in zip(steps, following, strict=True)
        ]
        self._begun = 0

    @property
    def shows(self) -> Collection[Source]:
        """The sources that its steps show."""
        return {step.action.source for step in self.steps if isinstance(step.action, Show)}

    @property
    def asks(self) -> bool:
        """Whether any of its steps asks something without a voice."""
        actions = [step.action for step in self.steps]
        return any(isinstance(a, TypeText) or getattr(a, "asks", "") for a in actions)

    async def next(self, so_far: list[TranscriptLine]) -> Step | None:
        """Return the next step; None after the last one."""
        if self._begun == len(self.steps):
            return None
        self._begun += 1
        return self.steps[self._begun - 1]
