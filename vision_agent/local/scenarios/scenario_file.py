"""Reads a scenario from its YAML file; every error names the line and the expected value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from vision_agent.local.contract import Say, Thought, ToolRequest, Transcript
from vision_agent.local.scenarios.fault_reader import read_fault
from vision_agent.local.scenarios.habit_reader import read_habits
from vision_agent.local.scenarios.scenario import Fault, Pause, Scenario, ScriptedAnswer, Step, When
from vision_agent.local.scenarios.yaml_reader import ScenarioError, YamlValue, read_yaml

MAX_FILE_BYTES = 2**20

_MAX_ITEMS = 10_000
_DAY_S = 86_400.0

_FILE = (
    "engine",
    "voice",
    "hears",
    "hears_then",
    "answers",
    "otherwise",
    "habits",
    "faults",
    "every_s",
    "random",
    "seed",
)
_STEPS = ("thinks", "think_s", "say", "call")
_WHEN = ("turn", "utterance", "words", "spoken", "tool", "frames")


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file.

    Raises:
        ScenarioError: The file can't be read, or is not valid; the text is one sentence.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ScenarioError(f"{path} is longer than {MAX_FILE_BYTES} bytes.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path} can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path} is not text in UTF-8.") from None
    return read_scenario(text, path.name)


def read_scenario(text: str, file: str = "scenario") -> Scenario:
    """The scenario in a string; see `load_scenario`."""
    root = read_yaml(text, file)
    given = root.fields(_FILE)
    engine = given["engine"].flag() if "engine" in given else True
    voice = given["voice"].choice("speech", "tone") if "voice" in given else None
    then = (
        given["hears_then"].choice("engine", "again", "nothing") if "hears_then" in given else None
    )
    if not engine:
        for key, value in (("voice", voice == "speech"), ("hears_then", then == "engine")):
            if value:
                raise given[key].error(f"'{key}' needs the engine, but 'engine' is false.")
    hears = tuple(_heard(item) for item in _list(given, "hears"))
    if then == "again" and not hears:
        raise given["hears_then"].error("'hears' has to name at least one utterance to repeat.")
    faults = tuple(read_fault(item) for item in _list(given, "faults"))
    every_s = given["every_s"].number(0.1, _DAY_S) if "every_s" in given else None
    random = given["random"].flag() if "random" in given else False
    _check_sequence(given, faults, every_s, random=random)
    return Scenario(
        engine=engine,
        voice=cast(Literal["speech", "tone"], voice or ("speech" if engine else "tone")),
        hears=hears,
        hears_then=cast(
            Literal["engine", "again", "nothing"], then or ("engine" if engine else "nothing")
        ),
        answers=tuple(_answer(item) for item in _list(given, "answers")),
        otherwise=_otherwise(given.get("otherwise"), engine=engine),
        habits=read_habits(given["habits"]) if "habits" in given else {},
        faults=faults,
        every_s=every_s,
        random=random,
        seed=given["seed"].count(0, 2**63 - 1) if "seed" in given else 0,
    )


def _list(given: dict[str, YamlValue], key: str) -> list[YamlValue]:
    if key not in given:
        return []
    items = given[key].data
    if not isinstance(items, list) or len(items) > _MAX_ITEMS:
        raise given[key].wrong(f"a list (of {_MAX_ITEMS} items at most)")
    return items


def _heard(item: YamlValue) -> Transcript:
    if not isinstance(item.data, dict):
        return Transcript(item.text(), understood=bool(item.text().strip()))
    given = item.fields(("text", "understood"))
    text = given["text"].text() if "text" in given else ""
    understood = given["understood"].flag() if "understood" in given else bool(text.strip())
    return Transcript(text, understood)


def _answer(item: YamlValue) -> ScriptedAnswer:
    given = item.fields(("when", "times", *_STEPS))
    return ScriptedAnswer(
        when=_when(given["when"]) if "when" in given else When(),
        steps=_steps(given, item),
        times=given["times"].count(1, 10**6) if "times" in given else None,
    )


def _otherwise(value: YamlValue | None, *, engine: bool) -> tuple[Step, ...] | None:
    if value is None:
        return None if engine else ()
    if isinstance(value.data, dict):
        return _steps(value.fields(_STEPS), value)
    if value.choice("engine", "nothing") == "nothing":
        return ()
    if not engine:
        raise value.error("'otherwise' needs the engine, but 'engine' is false.")
    return None


def _when(value: YamlValue) -> When:
    given = value.fields(_WHEN)
    words: tuple[str, ...] = ()
    if "words" in given:
        words = tuple(item.text() for item in given["words"].items())
        if not words or not all(any(map(str.isalnum, phrase)) for phrase in words):
            raise given["words"].wrong("words to find")
    return When(
        turn=_optional(given, "turn", 1),
        utterance=_optional(given, "utterance", 1),
        words=words,
        spoken=given["spoken"].flag() if "spoken" in given else None,
        tool=given["tool"].text() if "tool" in given else None,
        frames=_optional(given, "frames", 0, 30),
    )


def _optional(given: dict[str, YamlValue], key: str, low: int, high: int = 10**6) -> int | None:
    return given[key].count(low, high) if key in given else None


def _steps(given: dict[str, YamlValue], item: YamlValue) -> tuple[Step, ...]:
    steps: list[Step] = []
    if "thinks" in given:
        steps.append(Thought(given["thinks"].text()))
    if "think_s" in given:
        steps.append(Pause(_seconds(given["think_s"])))
    if "say" in given:
        steps += [_spoken(part) for part in given["say"].items()]
    if "call" in given:
        steps += [_call(part) for part in given["call"].items()]
    if not steps and "say" not in given:
        raise item.error("an answer needs 'say', 'call' or 'think_s'; silence is 'say: []'.")
    return tuple(steps)


def _spoken(part: YamlValue) -> Step:
    if isinstance(part.data, dict):
        given = part.fields(("pause_s",))
        if "pause_s" not in given:
            raise part.error("a pause needs 'pause_s'.")
        return Pause(_seconds(given["pause_s"]))
    return Say(part.text())


def _call(part: YamlValue) -> ToolRequest:
    given = part.fields(("name", "args"))
    if "name" not in given:
        raise part.error("'call' needs the tool's 'name'.")
    args: Any = given["args"].plain() if "args" in given else {}
    if not isinstance(args, dict):
        raise given["args"].wrong("a mapping")
    return ToolRequest(given["name"].text(), args)


def _seconds(value: YamlValue) -> float:
    return value.number(0, _DAY_S, {"forever": float("inf")})


def _check_sequence(
    given: dict[str, YamlValue], faults: tuple[Fault, ...], every_s: float | None, *, random: bool
) -> None:
    if random and every_s is None:
        raise given["random"].error("'random' needs 'every_s': how many seconds between faults.")
    if every_s is None:
        return
    if not faults:
        raise given["every_s"].error("'every_s' needs a list of 'faults'.")
    for item, fault in zip(given["faults"].data, faults, strict=True):
        if fault.at.connection != 1 or fault.at.turn is not None:
            raise item.error("with 'every_s' a fault can't wait for a connection or a turn.")
        if fault.times is None:
            raise item.error("with 'every_s' a fault can't strike always.")
