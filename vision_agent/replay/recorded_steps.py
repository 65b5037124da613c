"""The actions of a recorded call's caller as the steps of a script. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_agent.caller.recording import SOUND_RATE_HZ, Samples
from vision_agent.caller.rtvi import Track
from vision_agent.caller.utterances import Span
from vision_agent.recordings.lines import (
    Line,
    ReceivedLine,
    SpokenLine,
    SwitchedLine,
    ToolCallLine,
    TurnLine,
)
from vision_agent.replay.script import (
    Action,
    FixedScript,
    SendMessage,
    SendPicture,
    Source,
    Speak,
    Step,
    Switch,
    TypeText,
    Wait,
)

MAX_STEPS = 20_000
# Servers do not read longer messages.
_MAX_MESSAGE_CHARS = 65_000
# A word begins before its first loud sample, and ends after its last one.
_MARGIN_MS = 300
# A video whose first frame comes later was off at the beginning of the cut or of the call. Making
# the connection takes part of this time.
_THERE_MS = 500
_CONNECTED_MS = 3_000
# A video without a frame for longer counts as off. Browsers send few frames of a still screen.
_LONGEST_PAUSES_S: Mapping[Source, float] = {"camera": 5.0, "screen": 15.0}
# The agent may speak unasked a little later than in the recording.
_LATER_MS = 2_000
# Messages that are not repeated: those about the call's recording, and pictures, which are sent as
# files.
_NOT_SENT_AGAIN = ("recording", "picture")


@dataclass(frozen=True, slots=True)
class RecordedPart:
    """The part of a recorded call that is made again.

    Attributes:
        lines: All lines of the call.
        begin_ms: Where the part begins.
        end_ms: Where it ends.
        first_frames_ms: When the first frame of each recorded video came, in ms of the call.
        last_frames_ms: When the last frame of each recorded video came, in ms of the call.
        pictures: The picture files that were sent in the part, and when, in ms of the part.
    """

    lines: Sequence[Line]
    begin_ms: int
    end_ms: int
    first_frames_ms: Mapping[Source, int] = field(default_factory=dict)
    last_frames_ms: Mapping[Source, int] = field(default_factory=dict)
    pictures: Sequence[tuple[int, SendPicture]] = ()

    @property
    def off(self) -> set[Track]:
        """The devices that were off when the part began."""
        before = (each for each in self.lines if each.at_ms < self.begin_ms)
        switches = {each.what: each.on for each in before if isinstance(each, SwitchedLine)}
        return {what for what, on in switches.items() if not on}

    def is_over(self, source: Source, at_ms: int) -> bool:
        """Whether a video had ended by a time of the call without being switched off."""
        last_ms = self.last_frames_ms.get(source)
        if last_ms is None or at_ms - last_ms <= 1000 * _LONGEST_PAUSES_S[source]:
            return False
        earlier = (each for each in self.lines if each.at_ms <= last_ms + _THERE_MS)
        switches = [e.on for e in earlier if isinstance(e, SwitchedLine) and e.what == source]
        return not switches or switches[-1]

    def is_switched_on(self, what: Track, before_ms: int) -> bool:
        """Whether the caller switched a device on within the first `before_ms` of the part."""
        lines = (each for each in self.inside if each.at_ms <= self.begin_ms + before_ms)
        return any(isinstance(e, SwitchedLine) and e.what == what and e.on for e in lines)

    @property
    def unasked_ms(self) -> int | None:
        """When the agent last spoke or acted unasked, after the last answer, in ms of the part.

        None if it did not.
        """
        asked = [e for e in self.inside if isinstance(e, SpokenLine) and e.who == "user"]
        asked_ms = asked[-1].at_ms if asked else self.begin_ms
        after = [each for each in self.inside if each.at_ms >= asked_ms]
        answered = next((each.at_ms for each in after if isinstance(each, TurnLine)), None)
        kinds = (SpokenLine, ToolCallLine, TurnLine)
        did = [e.at_ms for e in after if isinstance(e, kinds) and e.at_ms > (answered or 0)]
        return None if answered is None or not did else did[-1] - self.begin_ms

    @property
    def inside(self) -> list[Line]:
        """Its lines."""
        return [each for each in self.lines if self.begin_ms <= each.at_ms < self.end_ms]


def recorded_script(
    part: RecordedPart, sound: Samples, spans: Sequence[Span], *, patient: bool = False
) -> tuple[FixedScript, set[Track]]:
    """Return the script, and the devices that are off when it begins.

    Args:
        part: The part of the call.
        sound: The caller's sound in it, mono s16 at `SOUND_RATE_HZ`.
        spans: Its utterances.
        patient: Each step waits for the end of the answer to the step before. Otherwise it comes
            at its recorded time, whatever the agent does.

    Raises:
        ValueError: The part has more than `MAX_STEPS` steps.
    """
    off = part.off
    done: list[tuple[int, Action]] = [
        (0, Switch(what, False))
        for what in sorted(off)
        if what in ("microphone", *part.first_frames_ms)
    ]
    for source, at_ms in _late_videos(part):
        off.add(source)
        if not part.is_switched_on(source, at_ms + _THERE_MS):
            done.append((at_ms, Switch(source, True)))
    done += _during(part)
    for source, last_ms in part.last_frames_ms.items():
        if not part.is_over(source, part.end_ms):
            continue
        if part.is_over(source, part.begin_ms):
            off.add(source)
        else:
            done.append((max(0, last_ms - part.begin_ms), Switch(source, False)))
    if len(done) > MAX_STEPS:
        raise ValueError(f"it has more than {MAX_STEPS} typed lines, messages and switches")
    asks = bool(spans) or any(_is_question(action) for _, action in done)
    if patient and asks:
        # Where the microphone's switch makes turns, the script's player switches it.
        kept = [each for each in done if not _is_of_microphone(each[1])]
        ordered = sorted([*kept, *_pieces(sound, spans)], key=lambda each: each[0])
        times_ms = [*(at_ms for at_ms, _ in ordered), math.inf]
        steps = [
            Step(action, shown_ms=(times_ms[n], times_ms[n + 1]))
            for n, (_, action) in enumerate(ordered)
        ]
        return FixedScript(steps, _stays_ms(part, ordered[-1][0])), off
    steps = [Step(action, at_ms) for at_ms, action in sorted(done, key=lambda each: each[0])]
    if len(sound):
        steps.insert(0, Step(Speak(sound.tobytes(), SOUND_RATE_HZ), 0))
    if not asks:  # it is shown once
        steps.append(Step(Wait((part.end_ms - part.begin_ms) / 1000), 0))
        return FixedScript(steps), off
    return FixedScript(steps, _stays_ms(part, steps[-1].at_ms or 0)), off


def _stays_ms(part: RecordedPart, last_step_ms: int) -> int:
    """How long the caller stays after the last step, in case the agent speaks unasked."""
    if (unasked_ms := part.unasked_ms) is None:
        return 0
    return max(0, unasked_ms - last_step_ms) + _LATER_MS


def _late_videos(part: RecordedPart) -> Iterator[tuple[Source, int]]:
    """The videos that begin in the part, and when, in ms of it."""
    there_ms = _THERE_MS if part.begin_ms else _CONNECTED_MS
    for source, first_ms in part.first_frames_ms.items():
        if first_ms - part.begin_ms > there_ms:
            yield source, first_ms - part.begin_ms


def _during(part: RecordedPart) -> Iterator[tuple[int, Action]]:
    yield from part.pictures
    for line in part.inside:
        action: Action | None = None
        if isinstance(line, ReceivedLine):
            action = _received(line.message)
        elif isinstance(line, SwitchedLine) and line.what in ("microphone", *part.first_frames_ms):
            action = Switch(line.what, line.on)
        if action is not None:
            yield line.at_ms - part.begin_ms, action


def _received(message: Mapping[str, Any]) -> Action | None:
    """The action of a client's message; None for messages that every caller sends anyway."""
    kind, data = message.get("type"), message.get("data")
    data = data if isinstance(data, dict) else {}
    options = data.get("options")
    options = options if isinstance(options, dict) else {}
    is_asked_now = options.get("run_immediately", True) is not False
    if kind == "send-text" and isinstance(text := data.get("content"), str) and text.strip():
        if is_asked_now:
            return TypeText(text, spoken_answer=options.get("audio_response", True) is not False)
    elif kind == "client-message":
        if data.get("t") in _NOT_SENT_AGAIN:
            return None
    elif kind not in ("append-to-context", "ui-event", "dtmf"):
        return None
    try:
        if len(json.dumps(message)) > _MAX_MESSAGE_CHARS:
            return None
    except RecursionError:
        return None  # nested too deeply
    return SendMessage(message, asks=_asked_by(str(kind), data))


def _asked_by(kind: str, data: Mapping[str, Any]) -> str:
    """The question in a message other than a typed line; empty if it wants no answer."""
    if kind == "dtmf":
        return "DTMF"
    if kind == "append-to-context" and data.get("run_immediately") is True:
        return str(data.get("content")) if data.get("role", "user") == "user" else ""
    return ""


def _is_question(action: Action) -> bool:
    return isinstance(action, TypeText) or (isinstance(action, SendMessage) and bool(action.asks))


def _is_of_microphone(action: Action) -> bool:
    return isinstance(action, Switch) and action.what == "microphone"


def _pieces(sound: Samples, spans: Sequence[Span]) -> Iterator[tuple[int, Action]]:
    """Each utterance separately, with its time."""
    per_ms = SOUND_RATE_HZ // 1000
    for span in spans:
        start = max(0, span.start_ms - _MARGIN_MS)
        piece = sound[start * per_ms : (span.end_ms + _MARGIN_MS) * per_ms]
        yield span.start_ms, Speak(piece.tobytes(), SOUND_RATE_HZ)
