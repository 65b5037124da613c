"""The options of `vision-agent eval`, and its body."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vision_agent.cli.options import (
    Headers,
    Logs,
    Token,
    check_writable,
    err,
    out,
    refuse,
    user_errors,
)
from vision_agent.logs import LogFormat

if TYPE_CHECKING:
    from vision_agent.evaluation.case_runner import RunOptions
    from vision_agent.evaluation.results import SuiteResults
    from vision_agent.evaluation.trials import Trial

_INTERRUPTED = 130


def evaluate(
    *,
    suites: Annotated[
        list[Path],
        typer.Argument(help="Suite files; a folder: all suites in it.", show_default=False),
    ],
    agent: Annotated[
        list[str] | None,
        typer.Option(help="An agent to call instead of the suites' agents; may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model to use instead of the suites' models; may be repeated."),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only cases whose names match; may be repeated."),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="How often each case is called.")
    ] = None,
    parallel: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Calls at once, of those that the local engine answers or that take virtual time; "
            "four times as many of a remote model or a running server [the number of cores].",
        ),
    ] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write the results here, as JSON.")
    ] = None,
    junit_out: Annotated[
        Path | None, typer.Option("--junit", help="Write the results here, as JUnit XML.")
    ] = None,
    html_out: Annotated[
        Path | None,
        typer.Option("--html", help="Write the results here, as a page to look at and listen to."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the recordings and the servers' logs here."),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(help="A running server to call instead of new ones; may be repeated."),
    ] = None,
    token: Token = None,
    header: Headers = None,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Make the calls of suites and show the results.

    Exit code 0: every case passed. 1: one failed. 2: a suite or an option is wrong. 3: none
    failed, but a case could not be tried or decided, or results could not be written.
    """
    from vision_agent.caller.signalling import parse_headers
    from vision_agent.evaluation.agent_target import AgentTarget
    from vision_agent.evaluation.case_runner import RunOptions
    from vision_agent.evaluation.junit import junit
    from vision_agent.evaluation.page import results_page
    from vision_agent.evaluation.results import EXIT_ERRORS
    from vision_agent.evaluation.suite import read_suites
    from vision_agent.evaluation.trials import Choice, needs_judge, plan

    if url and (agent or model):
        refuse("--url is for a server that is running: leave --agent and --model out.")
    try:
        headers = parse_headers(header or ())
    except ValueError as error:
        refuse(f"--header {error}")
    wanted = any((json_out, junit_out, html_out, keep))
    with user_errors(), out.optional(wanted), ExitStack() as stack:
        targets = [AgentTarget.named(one) for one in (*(agent or ()), *(url or ()))]
        files = read_suites(suites)
        trials = plan(files, Choice(targets, model or (), case or (), repeats))
        check_writable(json_out, junit_out, html_out)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
        folder = keep or Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="vision-agent-eval-", ignore_cleanup_errors=True)
            )
        )
        # A judge is shown what the model saw.
        shown = keep is not None or html_out is not None
        record = shown or any(needs_judge(one.suite) for one in files)
        options = RunOptions(folder.resolve(), parallel, token, headers, record=record)
        results = asyncio.run(_watched(trials, options))
        asked = (
            (json_out, results.to_json),
            (junit_out, lambda: junit(results)),
            (html_out, lambda: results_page(results).encode()),
        )
        written = [_written(path, make) for path, make in asked if path is not None]
    code = _INTERRUPTED if results.interrupted else results.exit_code
    raise typer.Exit(code if code or all(written) else EXIT_ERRORS)


def _written(path: Path, make: Callable[[], bytes]) -> bool:
    """Write results; a failure is reported, and the other results are still written."""
    try:
        path.write_bytes(make())
    except OSError as error:
        err.say(f"{path} can't be written: {error.strerror or error}.", "red")
        return False
    return True


async def _watched(trials: list[Trial], options: RunOptions) -> SuiteResults:
    from vision_agent.cli.eval.view import EvalView, show_summary
    from vision_agent.evaluation.run import run_trials

    # `timeout` and CI systems end a command that takes too long with SIGTERM; treat it as Ctrl-C.
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError, RuntimeError):  # on Windows; outside the main thread
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    with EvalView(out, len(trials)) as view:
        results = await run_trials(trials, options, on_begin=view.begin, on_end=view.end)
    show_summary(out, results)
    return results
