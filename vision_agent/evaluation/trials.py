"""Plans the calls of a run: each case with each agent and model, repeated."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from vision_agent.evaluation.agent_target import AgentTarget
from vision_agent.evaluation.expected import Expectation
from vision_agent.evaluation.mistakes import SuiteError
from vision_agent.evaluation.suite import Case, Suite, SuiteFile
from vision_agent.local.scenarios.scenario_file import load_scenario
from vision_agent.local.scenarios.yaml_reader import ScenarioError

DEFAULT_TIMEOUT_S = 60.0
_MAX_TRIALS = 1_000_000
_DEFAULT_AGENT = "default"


class ServerKey(NamedTuple):
    """The options of a server: cases with the same key share one.

    Attributes:
        agent: Its agent; None: the default one.
        model: Its model.
        scenario: Its scenario.
    """

    agent: str | None
    model: str
    scenario: Path | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One call to make.

    Attributes:
        suite: Its suite.
        case: Its case.
        target: The agent to call; None: the default agent.
        agent: The agent's name in results.
        model: The model; "" where a running server has its own.
        repeat: The number of the repeat, from 1.
        passes: The share of the repeats that has to pass.
        expected: All expectations.
        timeout_s: The longest wait for the agent.
        asked: Options of the call.
        server: The server to start; None for a running one.
        is_scripted: Whether a scenario answers, without the engine.
        is_light: Whether the call costs this machine little, because its answers are scripted or
            come from elsewhere.
    """

    suite: SuiteFile
    case: Case
    target: AgentTarget | None
    agent: str
    model: str
    repeat: int
    passes: float
    expected: tuple[Expectation, ...]
    timeout_s: float
    asked: dict[str, Any]
    server: ServerKey | None
    is_light: bool
    is_scripted: bool = False

    @property
    def is_virtual(self) -> bool:
        """Whether the call can take place in virtual time: it needs nothing outside the process."""
        return self.is_scripted and self.server is not None and self.case.persona is None

    @property
    def is_timed(self) -> bool:
        """Whether an expectation bounds a time that gets longer on a busy machine."""
        return any(expectation.is_timed for expectation in self.expected)


@dataclass(frozen=True, slots=True)
class Choice:
    """Choices of the person who runs suites, which override the files.

    Attributes:
        agents: The agents to call; empty: those of the suites.
        models: The models; empty: those of the suites.
        cases: Patterns of names (`fnmatch`), or parts of them; empty: all cases.
        repeats: The number of repeats; None: that of the suites.
    """

    agents: Sequence[AgentTarget] = ()
    models: Sequence[str] = ()
    cases: Sequence[str] = ()
    repeats: int | None = None


def plan(suites: Sequence[SuiteFile], choice: Choice | None = None) -> list[Trial]:
    """Return the calls to make; those that share a server follow one another.

    Raises:
        SuiteError: A scenario can't be read, no case has a chosen name, or there are too many
            calls.
    """
    chosen = choice or Choice()
    trials: list[Trial] = []
    engines = _Engines()
    names = _Names(
        target
        for file in suites
        for case in file.suite.cases
        for target in _targets(file.suite, case, chosen)
    )
    for file in suites:
        for case in file.suite.cases:
            if _is_chosen(case.name, chosen.cases):
                room = _MAX_TRIALS + 1 - len(trials)
                trials += islice(_of_case(file, case, chosen, engines, names), room)
            if len(trials) > _MAX_TRIALS:
                raise SuiteError(f"The run would make more than {_MAX_TRIALS} calls.")
    if not trials:
        raise SuiteError(f"No case is called {' or '.join(chosen.cases)}.")
    order: dict[ServerKey | None, int] = {}
    for trial in trials:
        order.setdefault(trial.server, len(order))
    return sorted(trials, key=lambda trial: order[trial.server])


def _is_chosen(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(
        fnmatch.fnmatchcase(name, pattern) or pattern in name for pattern in patterns
    )


@dataclass(slots=True)
class _Engines:
    """Tells which scenarios answer without the engine; each is read once."""

    _known: dict[Path, bool] = field(default_factory=dict)

    def is_scripted(self, scenario: Path) -> bool:
        if scenario not in self._known:
            try:
                self._known[scenario] = not load_scenario(scenario).engine
            except ScenarioError as error:
                raise SuiteError(f"{scenario.parent}/{error}") from None
        return self._known[scenario]


class _Names:
    """The agents' names in results: the short name, or the whole path if two share it."""

    def __init__(self, targets: Iterable[AgentTarget]) -> None:
        self._short = Counter(name for name, _ in {(one.name, one.agent) for one in targets})

    def of(self, target: AgentTarget) -> str:
        return target.name if self._short[target.name] < 2 else str(target.agent)


def _targets(suite: Suite, case: Case, choice: Choice) -> tuple[AgentTarget, ...]:
    return tuple(choice.agents) or case.agents or suite.agents or ()


def _of_case(
    file: SuiteFile, case: Case, choice: Choice, engines: _Engines, names: _Names
) -> Iterator[Trial]:
    suite = file.suite
    targets = _targets(suite, case, choice) or (None,)
    models = tuple(choice.models) or case.models or suite.models or ("local",)
    scenario = case.scenario or suite.scenario
    repeats = choice.repeats or case.repeats or suite.repeats or 1
    passes = case.passes if case.passes is not None else suite.passes
    first = Trial(
        suite=file,
        case=case,
        target=None,
        agent=_DEFAULT_AGENT,
        model="",
        repeat=1,
        passes=1.0 if passes is None else passes,
        expected=(*case.expectations, *suite.expect),
        timeout_s=case.timeout_s or suite.timeout_s or DEFAULT_TIMEOUT_S,
        asked={**(suite.options or {}), **(case.options or {})},
        server=None,
        is_light=True,
    )
    for target in targets:
        is_running = target is not None and target.url is not None
        for model in ("",) if is_running else models:
            name = _DEFAULT_AGENT if target is None else names.of(target)
            trial = replace(first, target=target, agent=name, model=model)
            if target is not None and is_running and target.agent is not None:
                trial = replace(trial, asked={**first.asked, "agent": target.agent})
            if not is_running:
                agent = None if target is None else target.agent
                key = ServerKey(agent, model, scenario if model == "local" else None)
                scripted = key.scenario is not None and engines.is_scripted(key.scenario)
                light = scripted or model != "local"
                trial = replace(trial, server=key, is_light=light, is_scripted=scripted)
            yield from (replace(trial, repeat=repeat) for repeat in range(1, repeats + 1))


def needs_judge(suite: Suite) -> bool:
    """Whether a suite has claims or personas, which need a model."""
    return any(case.asks_model for case in suite.cases) or any(
        one.judge is not None for one in suite.expect
    )
