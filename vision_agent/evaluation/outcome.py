"""The outcome of one call of a case: its report, and a verdict on each expectation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from vision_agent.replay.report import Report

Status = Literal["passed", "failed", "error"]


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """An expectation and its result, in words.

    Attributes:
        expectation: The expectation.
        passed: Whether it was met; None: undecided.
        came: What happened instead, or in accordance.
    """

    expectation: str
    passed: bool | None
    came: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence that a judge is shown.

    Attributes:
        report: The call as the caller had it.
        recorded: The folder of its recording; None if it was not recorded.
    """

    report: Report
    recorded: Path | None = None


class Judge(Protocol):
    """A model that answers whether a sentence is true of a call."""

    async def verdict(self, claim: str, evidence: Evidence) -> tuple[bool | None, str]:
        """Return whether the claim is true (None: it could not be asked) and the reason."""


@dataclass(slots=True)
class CaseOutcome:
    """One call of a case.

    Attributes:
        suite: The suite's name.
        case: The case's name.
        agent: The agent's name in results.
        model: The model; "" where a running server has its own.
        repeat: The number of the repeat, from 1.
        report: The call; None if there was none.
        verdicts: One for each expectation, in the suite's order.
        recorded: The folder of the recording; None if there is none.
        received: The file of both voices as the caller had them, where the server is not ours;
            None if there is none.
        error: Why the case could not be tried; None if it was.
        caller: Why a caller that a model plays hung up; empty for other callers.
        took_s: The duration.
    """

    suite: str
    case: str
    agent: str
    model: str
    repeat: int = 1
    report: Report | None = None
    verdicts: list[CaseVerdict] = field(default_factory=list)
    recorded: Path | None = None
    received: Path | None = None
    error: str | None = None
    caller: str = ""
    took_s: float = 0.0

    @property
    def status(self) -> Status:
        """`failed` if an expectation was not met, `error` if one is undecided."""
        if any(verdict.passed is False for verdict in self.verdicts):
            return "failed"
        undecided = any(verdict.passed is None for verdict in self.verdicts)
        return "error" if self.error is not None or undecided else "passed"
