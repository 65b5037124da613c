"""What came of one call of a case: its report, and a verdict on each expectation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from vision_agent.replay.report import Report

Status = Literal["passed", "failed", "error"]


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """What was expected, and what came, in words.

    Attributes:
        expectation: What was expected.
        passed: Whether it came; None: that can't be told.
        came: What came.
    """

    expectation: str
    passed: bool | None
    came: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a judge is shown of a call.

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
        agent: The agent, as results call it.
        model: The model; "" where a running server has its own.
        repeat: Which of the repeats, from 1.
        report: The call; None if there was none.
        verdicts: One for each expectation, in the suite's order.
        recorded: The folder of the recording; None if there is none.
        received: The file of both voices as the caller had them, where the server is not ours;
            None if there is none.
        error: Why the case could not be tried; None if it was.
        caller: Why a caller that a model plays has hung up; empty where there was none.
        took_s: How long it took.
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
        """`failed` if an expectation was not met, `error` if that can't be told."""
        if any(verdict.passed is False for verdict in self.verdicts):
            return "failed"
        undecided = any(verdict.passed is None for verdict in self.verdicts)
        return "error" if self.error is not None or undecided else "passed"
