"""The steps of a recorded call's replay, in short form."""

from __future__ import annotations

from vision_agent.replay.caller_source import CallerSource
from vision_agent.replay.script import (
    FixedScript,
    SendMessage,
    SendPicture,
    Speak,
    Step,
    Switch,
    TypeText,
    Wait,
)


def steps(source: CallerSource) -> list[Step]:
    assert isinstance(source.script, FixedScript)
    return source.script.steps


def done(source: CallerSource) -> list[tuple[int | None, object]]:
    """When each step begins, with its action in short form."""

    def short(step: Step) -> object:
        match step.action:
            case Speak(pcm, rate_hz):
                return round(1000 * len(pcm) / 2 / rate_hz, -2)
            case TypeText(text, spoken_answer):
                return text if spoken_answer else f"{text} (in words)"
            case SendMessage(message):
                return message["type"]
            case SendPicture(path, name):
                return (name, path.read_bytes())
            case Switch(what, on):
                return (what, on)
            case Wait(seconds):
                return f"{seconds:.1f} s"
        raise AssertionError(step)

    return [(step.at_ms, short(step)) for step in steps(source)]
