"""Makes all calls of a run, as many at once as the machine allows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from vision_agent.evaluation.case_runner import CaseRunner, RunOptions
from vision_agent.evaluation.lanes import Lanes
from vision_agent.evaluation.outcome import CaseOutcome
from vision_agent.evaluation.results import SuiteResults
from vision_agent.evaluation.trials import Trial


async def run_trials(
    trials: Sequence[Trial],
    options: RunOptions,
    *,
    on_begin: Callable[[Trial], None] | None = None,
    on_end: Callable[[Trial, CaseOutcome], None] | None = None,
) -> SuiteResults:
    """Make all calls.

    A cancellation ends the calls in progress, and the outcomes so far are returned.

    Args:
        trials: The calls, see `plan`.
        options: How calls are made.
        on_begin: Called when a call begins.
        on_end: Called with a call's outcome.
    """
    results = SuiteResults(
        datetime.now(UTC),
        len(trials),
        passes={(one.suite.name, one.case.name): one.passes for one in trials},
    )
    lanes = Lanes(options.parallel or default_parallel())
    waiting = iter(trials)
    begun = time.monotonic()
    async with CaseRunner(options, trials) as runner:

        async def work() -> None:
            for trial in waiting:
                async with lanes.lane(trial):
                    if on_begin is not None:
                        on_begin(trial)
                    outcome = await runner.outcome(trial)
                results.outcomes.append(outcome)
                if on_end is not None:
                    on_end(trial, outcome)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(lanes.most, len(trials))):
                    group.create_task(work())
        except asyncio.CancelledError:
            results.interrupted = True
    results.took_s = time.monotonic() - begun
    return results


def default_parallel() -> int:
    """Return how many calls with the local engine this machine makes at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
