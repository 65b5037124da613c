"""A pytest plugin: recorded videos call an agent, and tests examine the reports.

pytest loads it wherever vision_agent is installed; nothing is imported or started before a test
asks for a call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import asyncio

    from vision_agent.evaluation.case_runner import CaseRunner
    from vision_agent.evaluation.outcome import CaseOutcome
    from vision_agent.evaluation.suite_case import SuiteCase
    from vision_agent.replay import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("vision_agent", "video calls")
    group.addoption("--video-agent", metavar="AGENT", help="ADK agent folder or module:attribute.")
    group.addoption(
        "--video-model",
        metavar="MODEL",
        default="local",
        help="A live model; by default the Live API on this machine, whatever keys are set.",
    )
    group.addoption("--video-url", metavar="URL", help="A running server, instead of a new one.")
    group.addoption("--video-token", metavar="TOKEN", help="That server's access token, if any.")
    group.addoption(
        "--video-header",
        metavar="'NAME: VALUE'",
        action="append",
        default=[],
        help="An HTTP header for it, such as a login proxy's cookie; may be repeated.",
    )
    group.addoption(
        "--video-report",
        metavar="DIR",
        type=Path,
        help="Write every call there, as a page with the agent's voice.",
    )


@pytest.fixture(scope="session")
def video_serve_arguments(pytestconfig: pytest.Config) -> Sequence[str]:
    """Arguments for `vision-agent serve`; override the fixture in a conftest.py to add some."""
    agent = pytestconfig.getoption("--video-agent")
    arguments = ["--model", pytestconfig.getoption("--video-model")]
    return [*arguments, "--agent", agent] if agent else arguments


@pytest.fixture(scope="session")
def video_server(
    pytestconfig: pytest.Config, video_serve_arguments: Sequence[str]
) -> Iterator[str]:
    """The address of a server that runs until the test session ends."""
    import asyncio

    from vision_agent.server_process import ServerProcess

    url = pytestconfig.getoption("--video-url")
    if url:
        yield url
        return
    server = ServerProcess(*video_serve_arguments)
    with asyncio.Runner() as runner:
        runner.run(server.__aenter__())
        try:
            yield server.url
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
def video_call(request: pytest.FixtureRequest, video_server: str) -> Callable[..., Report]:
    """Make calls from recordings, such as `video_call("milk.mp4", ask="What does it say?")`.

    Give at most one of `ask` (a sentence to speak), `say` (a sound file to speak) and `typed` (a
    sentence to type); without any, the recording's own sound speaks. `timeout_s` is the longest
    wait for the server. If the test fails, its report shows what was said.

    Returns:
        A function that makes one call and returns its `vision_agent.replay.Report`. It raises
        `BadRecording` for a file that can't be replayed, and `ValueError` for two questions or an
        empty one.
    """
    config, item, made = request.config, request.node, 0

    def call(
        file: Path | str,
        *,
        ask: str | None = None,
        say: Path | str | None = None,
        typed: str | None = None,
        timeout_s: float = 60.0,
    ) -> Report:
        nonlocal made
        if sum(one is not None for one in (ask, say, typed)) > 1:
            raise ValueError("Of ask, say and typed give one.")
        if any(text is not None and not text.strip() for text in (ask, typed)):
            raise ValueError("The question is empty: there is nothing to ask.")
        report = _call(
            video_server,
            config.getoption("--video-token"),
            _headers(config.getoption("--video-header")),
            Path(file),
            ask,
            None if say is None else Path(say),
            typed,
            timeout_s,
        )
        made += 1
        item.add_report_section("call", f"video call {made}", _in_words(report))
        folder = config.getoption("--video-report")
        if folder is not None:
            _write(report, folder, f"{item.name}-{made}")
        return report

    return call


@pytest.fixture(scope="session")
def video_case_arguments() -> Sequence[str]:
    """Further arguments for `vision-agent serve`, with which `video_case` starts servers."""
    return ()


@pytest.fixture(scope="session")
def _case_runner(
    tmp_path_factory: pytest.TempPathFactory, video_case_arguments: Sequence[str]
) -> Iterator[tuple[asyncio.Runner, CaseRunner]]:
    """What calls the cases of suites, with servers that they share."""
    import asyncio

    from vision_agent.evaluation.case_runner import CaseRunner, RunOptions

    options = RunOptions(
        tmp_path_factory.mktemp("video-cases"), serve_arguments=tuple(video_case_arguments)
    )
    with asyncio.Runner() as runner:
        cases = CaseRunner(options)
        try:
            yield runner, cases
        finally:
            runner.run(cases.close())


@pytest.fixture
def video_case(
    request: pytest.FixtureRequest, _case_runner: tuple[asyncio.Runner, CaseRunner]
) -> Callable[[SuiteCase], list[CaseOutcome]]:
    """Make the calls of a suite's case, as `vision-agent eval` does, and assert that it passes.

    Returns:
        A function that takes a case of `vision_agent.load_suite` and returns the outcomes of its
        repeats. It fails with the verdicts in words.
    """
    from vision_agent.evaluation.suite_case import SuiteCase, in_words

    runner, cases = _case_runner

    def made(case: SuiteCase) -> list[CaseOutcome]:
        __tracebackhide__ = True
        if not isinstance(case, SuiteCase):
            raise TypeError(f"video_case takes one case of load_suite, not {type(case).__name__}.")
        _waits("video_case", "write the test without async")
        outcomes = [runner.run(cases.outcome(trial)) for trial in case.trials]
        for outcome in outcomes:
            words = [] if outcome.report is None else [_in_words(outcome.report)]
            heading = f"video case, call {outcome.repeat}: {outcome.status}"
            request.node.add_report_section("call", heading, "\n".join([in_words(outcome), *words]))
        rate = case.rate(outcomes)
        if rate.status != "passed":
            wrong = next(one for one in outcomes if one.status != "passed")
            passed = f"{rate.passed} of {len(outcomes)} calls passed"
            pytest.fail(f"{case.name}: {passed}\n{in_words(wrong)}", pytrace=False)
        return outcomes

    return made


def _call(
    url: str,
    token: str | None,
    headers: dict[str, str],
    file: Path,
    ask: str | None,
    say: Path | None,
    typed: str | None,
    timeout_s: float,
) -> Report:
    import asyncio

    from vision_agent.local import speak_question
    from vision_agent.replay import ReplayOptions, replay

    async def made() -> Report:
        spoken = await speak_question(ask) if ask is not None else None
        options = ReplayOptions(
            file,
            url,
            say=say,
            say_pcm=spoken,
            typed=typed,
            timeout_s=timeout_s,
            token=token,
            headers=headers,
        )
        return await replay(options)

    _waits(
        "video_call",
        "in an async test await vision_agent.replay.replay, or use vision_agent.CallClient",
    )
    return asyncio.run(made())


def _waits(fixture: str, instead: str) -> None:
    """Refuse to block a running event loop, in words."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"{fixture} waits for the call to end: {instead}.")


def _headers(given: Sequence[str]) -> dict[str, str]:
    from vision_agent.caller.signalling import parse_headers

    try:
        return parse_headers(given)
    except ValueError as error:
        raise pytest.UsageError(f"--video-header {error}") from error


def _in_words(report: Report) -> str:
    from vision_agent.terminal import one_line

    lines = [
        f"{line.at_ms / 1000:6.1f} s  {line.who}: {one_line(line.text)}"
        for line in report.transcript
    ]
    lines += [
        f"{call.at_ms / 1000:6.1f} s  tool {one_line(call.name)}" for call in report.tool_calls
    ]
    ending = (one_line(text) for text in (*report.errors, f"ended: {report.ended}"))
    return "\n".join([*sorted(lines), *ending])


def _write(report: Report, folder: Path, name: str) -> None:
    from vision_agent.replay.report_page import report_page

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^\w.-]+", "_", name) + ".html")
    path.write_text(report_page(report, name), encoding="utf-8")
