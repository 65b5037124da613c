"""The outcomes of a run, counted: pass rates, the exit code, JSON. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vision_agent.evaluation.outcome import CaseOutcome, Status

FORMAT = 1
EXIT_PASSED, EXIT_FAILED, EXIT_ERRORS = 0, 1, 3


@dataclass(slots=True)
class CaseRate:
    """The repeats of a case with one agent and one model.

    Attributes:
        suite: The suite's name.
        case: The case's name.
        agent: The agent.
        model: The model.
        passes: The share of the repeats that has to pass.
        outcomes: The outcomes of the calls that were made.
    """

    suite: str
    case: str
    agent: str
    model: str
    passes: float
    outcomes: list[CaseOutcome] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(outcome.status == "passed" for outcome in self.outcomes)

    @property
    def status(self) -> Status:
        """`passed` if enough repeats passed; otherwise `error` if none failed."""
        # 0.8 of 5 is 4, whatever 0.8 * 5 is in binary.
        if self.passed >= math.ceil(round(self.passes * len(self.outcomes), 6)):
            return "passed"
        failed = any(outcome.status == "failed" for outcome in self.outcomes)
        return "failed" if failed else "error"


@dataclass(slots=True)
class SuiteResults:
    """All outcomes of a run.

    Attributes:
        started: When it began.
        planned: How many calls were planned.
        outcomes: The outcomes of the calls that were made, in the order in which they ended.
        passes: The share of the repeats that has to pass, by suite and case, in the suites' order.
        took_s: The duration.
        interrupted: Whether the run was stopped before its end.
    """

    started: datetime
    planned: int
    outcomes: list[CaseOutcome] = field(default_factory=list)
    passes: dict[tuple[str, str], float] = field(default_factory=dict)
    took_s: float = 0.0
    interrupted: bool = False

    def rates(self) -> list[CaseRate]:
        """Return the outcomes by case, agent and model."""
        found: dict[tuple[str, str, str, str], CaseRate] = {}
        for one in sorted(self.outcomes, key=lambda outcome: outcome.repeat):
            key = (one.suite, one.case, one.agent, one.model)
            passes = self.passes.get((one.suite, one.case), 1.0)
            rate = found.setdefault(key, CaseRate(*key, passes))
            rate.outcomes.append(one)
        order = {key: number for number, key in enumerate(self.passes)}
        return sorted(
            found.values(),
            key=lambda one: (one.suite, one.agent, one.model, order.get((one.suite, one.case), 0)),
        )

    @property
    def exit_code(self) -> int:
        """0: every case passed, often enough. 1: one failed. 3: none failed, but not all ran."""
        statuses = {rate.status for rate in self.rates()}
        if "failed" in statuses:
            return EXIT_FAILED
        is_whole = len(self.outcomes) == self.planned
        return EXIT_PASSED if statuses <= {"passed"} and is_whole else EXIT_ERRORS

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the sound, ready for JSON (docs/testing.md)."""
        rates = self.rates()
        return {
            "format": FORMAT,
            "started": self.started.isoformat(timespec="seconds"),
            "took_s": round(self.took_s, 3),
            "interrupted": self.interrupted,
            "planned": self.planned,
            "passed": sum(rate.status == "passed" for rate in rates),
            "failed": sum(rate.status == "failed" for rate in rates),
            "errors": sum(rate.status == "error" for rate in rates),
            "cases": [
                {
                    "suite": rate.suite,
                    "case": rate.case,
                    "agent": rate.agent,
                    "model": rate.model,
                    "status": rate.status,
                    "repeats": len(rate.outcomes),
                    "repeats_passed": rate.passed,
                    "passes": rate.passes,
                    "calls": [_call(outcome) for outcome in rate.outcomes],
                }
                for rate in rates
            ],
        }

    def to_json(self) -> bytes:
        """Return `to_dict` as UTF-8 JSON."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)
        # A server may send unpaired surrogates. UTF-8 has none, so JSON's escapes stand for them.
        return f"{text}\n".encode("utf-8", "backslashreplace")


def _call(outcome: CaseOutcome) -> dict[str, Any]:
    return {
        "repeat": outcome.repeat,
        "status": outcome.status,
        "error": outcome.error,
        "caller": outcome.caller,
        "took_s": round(outcome.took_s, 3),
        "verdicts": [
            {"expectation": one.expectation, "passed": one.passed, "came": one.came}
            for one in outcome.verdicts
        ],
        "recorded": None if outcome.recorded is None else str(outcome.recorded),
        "received": None if outcome.received is None else str(outcome.received),
        "report": None if outcome.report is None else outcome.report.to_dict(),
    }
