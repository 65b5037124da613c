"""A suite file: its models, read from YAML; every error names file, line and column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, model_validator

from vision_agent.evaluation.agent_target import AgentTarget
from vision_agent.evaluation.expected import Expectation, Expectations
from vision_agent.evaluation.marked_yaml import MarkedYaml, NotYaml
from vision_agent.evaluation.mistakes import SuiteError, mistakes_in_words
from vision_agent.evaluation.part import (
    File,
    Moment,
    Options,
    Part,
    Secret,
    Text,
    is_there,
    many,
    path_of,
    shown,
    wrong,
)

_MAX_FILE_BYTES = 16 * 2**20
_MAX_CASES = 100_000
_SOUNDS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aiff", ".webm"}
_SOUNDS |= {".mkv", ".mp4"}
_IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif"}

Repeats = Annotated[int, Field(ge=1, le=10_000)]
Rate = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class JudgeModel(Part):
    """The model that judges calls and plays callers.

    Attributes:
        url: A server with OpenAI's interface.
        model: The server's model.
        gemini: A Gemini model instead.
        key: The server's API key; by default OPENAI_API_KEY, or Gemini's own variables.
        images: How many frames of a call it is shown; 0 for a model without vision.
    """

    one_of: ClassVar[tuple[str, ...]] = ("url", "gemini")

    url: Secret | None = None
    model: Text | None = None
    gemini: Text | None = None
    key: Secret | None = Field(None, repr=False)
    images: Annotated[int, Field(ge=0, le=16)] = 4


class Persona(Part):
    """A caller that a model plays.

    Attributes:
        goal: What the caller wants.
        manner: How the caller speaks and behaves.
        knows: What the caller knows.
        show: Images and videos that the caller can show.
        turns: How often the caller speaks at most.
        types: The caller types instead of speaking.
    """

    goal: Text
    manner: Text | None = None
    knows: Text | None = None
    show: Annotated[tuple[File, ...], BeforeValidator(many), Field(max_length=100)] = ()
    turns: Annotated[int, Field(ge=1, le=100)] = 6
    types: bool = False

    @model_validator(mode="after")
    def _shows_each_by_its_name(self) -> Persona:
        names: set[str] = set()
        for number, path in enumerate(self.show):
            if path.name.lower() in names:
                words = f"a picture is shown by its name, and '{path.name}' is taken"
                raise wrong(words, "show", number)
            names.add(path.name.lower())
        return self


def _sound_or_words(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and Path(value).suffix.lower() in _SOUNDS:
        path = path_of(value, info)
        if not is_there(path) or not path.is_file():
            raise wrong(f"there is no sound file {shown(path)}")
        return path
    return getattr(value, "written", value)


class CaseTurn(Part):
    """One action of the caller, after the agent's answer to the turn before.

    Attributes:
        say: A sentence to speak in the local engine's voice, or a sound file.
        type: A sentence to type.
        switch: A device; `on` says whether it is switched on or off.
        show: A video or an image to show from now on, `as` the camera or the screen.
        silence_s: How long to say nothing.
        cut_in_s: Begin this long after the agent's voice begins, instead of after its answer.
        expect: The expectations of this turn.
    """

    one_of: ClassVar[tuple[str, ...]] = ("say", "type", "switch", "show", "silence_s")

    say: Annotated[str | Path, BeforeValidator(_sound_or_words)] | None = None
    type: Text | None = None
    switch: Literal["microphone", "camera", "screen"] | None = None
    on: bool | None = None
    show: File | None = None
    as_: Literal["camera", "screen"] = Field("camera", alias="as")
    silence_s: Annotated[float, Field(gt=0, le=600)] | None = None
    cut_in_s: Annotated[float, Field(ge=0, le=600)] | None = None
    expect: Expectations = ()

    @model_validator(mode="after")
    def _fits(self) -> CaseTurn:
        if (self.switch is None) != (self.on is None):
            raise wrong("a switch needs 'on': true or false")
        for words in (self.say, self.type):
            if isinstance(words, str) and not words.strip():
                raise wrong("there is nothing to say")
        if self.expect and not self.speaks:
            raise wrong("needs 'say' or 'type'", "expect")
        if self.show is None and "as_" in self.model_fields_set:
            raise wrong("needs 'show'", "as")
        return self

    @property
    def speaks(self) -> bool:
        """Whether the caller says or types something."""
        return self.say is not None or self.type is not None


class _Shared(Part):
    """The fields that a suite sets for all cases, and a case for itself."""

    agents: Annotated[tuple[AgentTarget, ...], BeforeValidator(many)] | None = None
    models: Annotated[tuple[Text, ...], BeforeValidator(many), Field(min_length=1)] | None = None
    scenario: File | None = None
    repeats: Repeats | None = None
    passes: Rate | None = None
    timeout_s: Seconds | None = None
    options: Options | None = None
    expect: Expectations = ()


class Case(_Shared):
    """One call, and the expectations of the agent in it.

    Attributes:
        name: Its name, unique in the suite.
        show: A video or an image for the camera. Without `turns` its own sound is spoken.
        screen: A video or an image to share as a screen.
        replay: A recorded call to make again (`call.mkv` or its folder).
        from_: Where in `show` or `replay` to begin.
        to: Where to end.
        patient: Each step of a recorded call waits for the answer to the step before, instead of
            its recorded time.
        turns: The caller's actions.
        persona: A caller that a model plays, instead.
        agents, models, scenario, repeats, passes, timeout_s, options: In place of the suite's.
        expect: The expectations of the whole call, those of the turns included once it is read.
    """

    name: Annotated[Text, Field(max_length=200)]
    show: File | None = None
    screen: File | None = None
    replay: Path | None = None
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    patient: bool = False
    turns: Annotated[tuple[CaseTurn, ...], BeforeValidator(many), Field(max_length=500)] = ()
    persona: Persona | None = None

    @model_validator(mode="before")
    @classmethod
    def _recorded(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, dict) and value.get("replay") is not None:
            path = path_of(value["replay"], info)
            path = path / "call.mkv" if is_there(path) and path.is_dir() else path
            if not is_there(path) or not path.is_file():
                raise wrong(f"there is no recorded call {shown(path)}", "replay")
            return value | {"replay": path}
        return value

    @model_validator(mode="after")
    def _is_a_call(self) -> Case:
        ways = {"replay": self.replay, "turns": self.turns, "persona": self.persona}
        given = [key for key, way in ways.items() if way]
        if len(given) > 1:
            raise wrong(f"{' and '.join(given)} can't stand together")
        if not given and self.show is None:
            raise wrong("needs something that happens: turns, replay, persona, or show")
        if not given and self.show is not None and self.show.suffix.lower() in _IMAGES:
            raise wrong("an image asks nothing: the case needs turns or a persona too", "show")
        if (self.from_ is not None or self.to is not None) and not (self.replay or self.show):
            raise wrong("from and to need replay or show")
        if self.patient and not self.replay:
            raise wrong("needs 'replay'", "patient")
        if self.to is not None and self.to <= (self.from_ or 0):
            raise wrong("'to' has to be later than 'from'", "to")
        if self.turns:
            last = sum(turn.speaks for turn in self.turns)
            for number, expectation in enumerate(self.expect):
                if (expectation.turn or 0) > last:
                    raise wrong(f"there is no turn {expectation.turn}", "expect", number)
            self._can_be_done()
            return self
        for number, expectation in enumerate(self.expect):
            if expectation.silence is not None and expectation.silence.after is None:
                # No step waits for it.
                raise wrong("silence after the last turn needs 'turns'", "expect", number)
        return self

    def _can_be_done(self) -> None:
        if self.turns[0].cut_in_s is not None:
            raise wrong("there is no answer yet to cut in on", "turns", 0, "cut_in_s")
        shown = {turn.as_ for turn in self.turns if turn.show is not None}
        shown |= {"camera"} if self.show else set()
        shown |= {"screen"} if self.screen else set()
        if self.show is not None and self.show.suffix.lower() == ".mkv":
            return  # a recorded call may have either
        for number, turn in enumerate(self.turns):
            if turn.switch not in (None, "microphone", *shown):
                what = "'screen'" if turn.switch == "screen" else "'show'"
                words = f"there is no {turn.switch} to switch: the case has no {what}"
                raise wrong(words, "turns", number, "switch")

    @property
    def expectations(self) -> list[Expectation]:
        """All expectations of the case: those of its turns, then its own."""
        speaking = (turn for turn in self.turns if turn.speaks)
        of_turns = [
            each.in_turn(number)
            for number, turn in enumerate(speaking, start=1)
            for each in turn.expect
        ]
        return [*of_turns, *self.expect]

    @property
    def asks_model(self) -> bool:
        """Whether a model plays its caller, or judges the call."""
        return self.persona is not None or any(one.judge is not None for one in self.expectations)


class Suite(_Shared):
    """A suite.

    Attributes:
        agents: The agents to call; None: the server's default agent.
        models: The models; None: the local one.
        scenario: A script for the local Live API.
        repeats: How often each case is called.
        passes: The share of the repeats that has to pass.
        timeout_s: The longest wait for the agent, in seconds.
        options: Options of the calls, such as `voice`.
        expect: Expectations of every case.
        judge: The model that judges.
        cases: The cases.
    """

    judge: JudgeModel | None = None
    cases: Annotated[
        tuple[Case, ...], BeforeValidator(many), Field(min_length=1, max_length=_MAX_CASES)
    ]

    @model_validator(mode="after")
    def _is_whole(self) -> Suite:
        names: set[str] = set()
        for number, case in enumerate(self.cases):
            if case.name in names:
                raise wrong(f"the name '{case.name}' is taken", "cases", number, "name")
            names.add(case.name)
            if case.asks_model and self.judge is None:
                raise wrong("needs a model that is asked: 'judge' in the suite", "cases", number)
        if self.judge is None and any(one.judge is not None for one in self.expect):
            raise wrong("needs a model that is asked: 'judge' in the suite", "expect")
        return self


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """A suite and the file it was read from.

    Attributes:
        path: The file.
        suite: The suite.
        name: The file's name without its ending; its path, if another suite has that name too.
    """

    path: Path
    suite: Suite
    name: str


def read_suites(paths: Iterable[Path]) -> list[SuiteFile]:
    """Read suite files; a folder stands for all its YAML files that are suites.

    Raises:
        SuiteError: A file can't be read or is not valid, or a folder has none.
    """
    found: dict[Path, tuple[Path, Suite]] = {}
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(one for one in path.iterdir() if one.suffix in (".yaml", ".yml"))
        suites = {one.resolve(): (one, suite) for one in files if (suite := _read(one)) is not None}
        if not suites and path.is_dir():
            raise SuiteError(f"{path}: no file in this folder is a suite (has 'cases').")
        if not suites:
            raise SuiteError(f"{path}:1:1: not a suite: it has no 'cases'.")
        found |= suites
    stems = Counter(path.stem for path in found)
    return [
        SuiteFile(path, suite, real.stem if stems[real.stem] == 1 else str(path))
        for real, (path, suite) in found.items()
    ]


def _read(path: Path) -> Suite | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        if len(content) > _MAX_FILE_BYTES:
            raise SuiteError(f"{path} is longer than {_MAX_FILE_BYTES} bytes.")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise SuiteError(f"{path} can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise SuiteError(f"{path} is not text in UTF-8.") from None
    try:
        marked = MarkedYaml(text)
    except NotYaml as error:
        raise SuiteError(f"{path}:{error.line}:{error.column}: {error}.") from None
    if not isinstance(marked.data, dict) or "cases" not in marked.data:
        return None
    try:
        return Suite.read(marked.data, path.resolve().parent)
    except ValidationError as error:
        raise SuiteError(mistakes_in_words(path, marked, error)) from None
