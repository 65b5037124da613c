"""The output of `vision-agent eval`: a growing table on a terminal, lines elsewhere, a summary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vision_agent.terminal import one_line

if TYPE_CHECKING:
    from vision_agent.evaluation.outcome import CaseOutcome
    from vision_agent.evaluation.results import CaseRate, SuiteResults
    from vision_agent.evaluation.trials import Trial
    from vision_agent.terminal import Terminal

_LOOK = {"passed": ("✓", "green"), "failed": ("✗", "red"), "error": ("!", "yellow")}
_RUNNING_SHOWN = 12
_ROWS_SHOWN = 200


class EvalView:
    """Shows the progress of a run; use it as a context manager.

    Args:
        console: The console to print on.
        planned: How many calls there are.
    """

    def __init__(self, console: Terminal, planned: int) -> None:
        self._console, self._planned = console, planned
        self._running: dict[int, tuple[Trial, float]] = {}
        self._counts = dict.fromkeys(_LOOK, 0)
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def begin(self, trial: Trial) -> None:
        """Show that a call begins."""
        self._running[id(trial)] = (trial, time.monotonic())

    def end(self, trial: Trial, outcome: CaseOutcome) -> None:
        """Show a call's outcome."""
        self._running.pop(id(trial), None)
        self._counts[outcome.status] += 1
        done = sum(self._counts.values())
        several = f" [{outcome.repeat}]" if trial.repeat > 1 else ""
        where = " ".join(filter(None, (outcome.suite, outcome.agent, outcome.model)))
        mark, style = _LOOK[outcome.status]
        head = Text.assemble(
            (f"{mark} ", style),
            f"{done:>{len(str(self._planned))}}/{self._planned}  ",
            (f"{one_line(outcome.case)}{several}", "bold"),
            f"  {one_line(where)}  {outcome.took_s:.1f} s",
        )
        self._console.say_text(head)
        for line in unmet(outcome):
            self._console.say_text(Text(f"    {line}", style))

    def _render(self) -> RenderableType:
        done = sum(self._counts.values())
        counts = "  ".join(
            f"{_LOOK[status][0]} {count}" for status, count in self._counts.items() if count
        )
        lines: list[RenderableType] = [Text(f"{done} of {self._planned} calls  {counts}", "bold")]
        for trial, since in list(self._running.values())[:_RUNNING_SHOWN]:
            where = " ".join(filter(None, (trial.agent, trial.model)))
            took = f"{time.monotonic() - since:.0f} s"
            several = f" [{trial.repeat}]" if trial.repeat > 1 else ""
            what = f"· {one_line(trial.case.name)}{several}  {one_line(where)}  {took}"
            lines.append(Text(what, "dim", no_wrap=True))
        return Group(*lines)


def unmet(outcome: CaseOutcome) -> list[str]:
    """Return the expectations that were not met, a line for each."""
    lines = [
        one_line(f"{one.expectation}: {one.came}") for one in outcome.verdicts if not one.passed
    ]
    return lines if outcome.error is None else [one_line(outcome.error), *lines]


def show_summary(console: Terminal, results: SuiteResults) -> None:
    """Print the pass rates, and how many cases passed."""
    rates = results.rates()
    shown = rates if len(rates) <= _ROWS_SHOWN else [r for r in rates if r.status != "passed"]
    if shown:
        console.print(_table(shown[:_ROWS_SHOWN]))
    if len(shown) > _ROWS_SHOWN:
        console.say(f"… and {len(shown) - _ROWS_SHOWN} more")
    _show_rates(console, rates)
    counts = {status: sum(rate.status == status for rate in rates) for status in _LOOK}
    words = [f"{counts['passed']} of {len(rates)} cases passed"]
    words += [f"{counts['failed']} failed"] if counts["failed"] else []
    words += [f"{counts['error']} could not be tried or decided"] if counts["error"] else []
    missing = results.planned - len(results.outcomes)
    words += [f"{missing} of {results.planned} calls were not made"] if missing else []
    style = "green" if results.exit_code == 0 else "red"
    console.say(f"{', '.join(words)}; {results.took_s:.0f} s.", style)


def _table(rates: Sequence[CaseRate]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    several = {key: len({getattr(one, key) for one in rates}) > 1 for key in ("suite", "model")}
    for name in ("", "case", "agent", *(key for key, shown in several.items() if shown)):
        table.add_column(name, overflow="fold")
    for name in ("passed", "seconds"):
        table.add_column(name, justify="right")
    for rate in rates:
        mark, style = _LOOK[rate.status]
        seconds = sum(outcome.took_s for outcome in rate.outcomes) / len(rate.outcomes)
        bound = f" (≥ {rate.passes:.0%})" if rate.passes < 1 else ""
        cells = [rate.case, rate.agent]
        cells += [getattr(rate, key) for key, shown in several.items() if shown]
        table.add_row(
            Text(mark, style),
            *(Text(one_line(cell)) for cell in cells),
            Text(f"{rate.passed}/{len(rate.outcomes)}{bound}", style),
            f"{seconds:.1f}",
        )
    return table


def _show_rates(console: Terminal, rates: Sequence[CaseRate]) -> None:
    """Print how many calls passed with each agent and model, if there are several."""
    for name in ("agent", "model"):
        groups: dict[str, list[CaseRate]] = {}
        for rate in rates:
            groups.setdefault(getattr(rate, name), []).append(rate)
        if len(groups) < 2:
            continue
        for key, group in groups.items():
            passed = sum(rate.passed for rate in group)
            made = sum(len(rate.outcomes) for rate in group)
            share = f"{passed} of {made} calls passed ({passed / made:.0%})"
            console.say(f"{name} {one_line(key)}: {share}")
