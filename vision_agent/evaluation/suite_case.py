"""The cases of suites as values for a test framework: each with one agent and one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from vision_agent.evaluation.agent_target import AgentTarget
from vision_agent.evaluation.mistakes import SuiteError
from vision_agent.evaluation.outcome import CaseOutcome
from vision_agent.evaluation.results import CaseRate
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.trials import Choice, Trial, plan
from vision_agent.terminal import one_line


@dataclass(frozen=True, slots=True)
class SuiteCase:
    """A case of a suite with one agent and one model.

    Attributes:
        trials: Its repeats.
    """

    trials: tuple[Trial, ...]

    @property
    def name(self) -> str:
        """The case's name in its suite."""
        return self.trials[0].case.name

    @property
    def __name__(self) -> str:
        """The name by which pytest calls it in a parametrized test."""
        first = self.trials[0]
        return "-".join(filter(None, (self.name, first.agent, first.model)))

    def rate(self, outcomes: Sequence[CaseOutcome]) -> CaseRate:
        """Return the pass rate of the outcomes of its trials."""
        first = self.trials[0]
        return CaseRate(
            first.suite.name, self.name, first.agent, first.model, first.passes, list(outcomes)
        )


def load_suite(
    *paths: Path | str,
    agents: Sequence[str] | str = (),
    models: Sequence[str] | str = (),
    cases: Sequence[str] | str = (),
    repeats: int | None = None,
) -> list[SuiteCase]:
    """Read suites, for the parameters of a test: each case with each agent and model.

    Args:
        paths: Suite files; a folder stands for all suites in it.
        agents: The agents in place of the suites', as `vision-agent serve --agent` takes them. A
            single agent, model or pattern needs no list.
        models: The models in place of the suites'.
        cases: Patterns of names; empty: all cases.
        repeats: How often each case is called, in place of the suites' own numbers.

    Raises:
        SuiteError: A suite has mistakes (a `ValueError` with file, line and column), no suite is
            named, no case has a name that matches, or `repeats` is not above 0.
    """
    if not paths:
        raise SuiteError("load_suite needs the path of a suite.")
    if repeats is not None and (not isinstance(repeats, int) or repeats < 1):
        raise SuiteError(f"repeats={repeats!r} has to be a whole number, 1 or more.")
    targets = [AgentTarget.named(agent) for agent in _listed(agents)]
    choice = Choice(targets, _listed(models), _listed(cases), repeats)
    trials = plan(read_suites([Path(path) for path in paths]), choice)
    return [SuiteCase(tuple(group)) for _, group in groupby(trials, _of_one_case)]


def _listed(value: Sequence[str] | str) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _of_one_case(trial: Trial) -> tuple[str, str, str, str]:
    return str(trial.suite.path), trial.case.name, trial.agent, trial.model


def in_words(outcome: CaseOutcome) -> str:
    """Return the verdicts on an outcome, a line for each, for the report of a failed test."""
    lines = [] if outcome.error is None else [one_line(outcome.error)]
    for one in outcome.verdicts:
        mark = {True: "passed", False: "FAILED", None: "undecided"}[one.passed]
        lines.append(f"{mark}: {one_line(one.expectation)}: {one_line(one.came)}")
    return "\n".join(lines)
