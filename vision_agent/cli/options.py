"""The commands' shared options, consoles, and errors in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from vision_agent.logs import LogFormat, log_json
from vision_agent.terminal import Terminal

if TYPE_CHECKING:
    from vision_agent.caller.cut import Cut
    from vision_agent.settings import Settings

out = Terminal(highlight=False)
err = Terminal(stderr=True, highlight=False)

Host = Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port; 0 picks a free one [7860].")]
SessionDb = Annotated[
    str | None,
    typer.Option(help="Where conversations are kept: a database URL, or `memory` [a file]."),
]
Agent = Annotated[
    str | None,
    typer.Option(
        help="An ADK agent folder (agent.py with root_agent), or package.module:attribute."
    ),
]
CalledAgent = Annotated[
    str | None,
    typer.Option(
        "--agent",
        help="An ADK agent folder (agent.py with root_agent), or package.module:attribute; with "
        "--url, the name of one of that server's agents.",
    ),
]
Model = Annotated[
    str | None, typer.Option(help="A live model, or `local` for the Live API on this machine.")
]
Voice = Annotated[str | None, typer.Option(help="A prebuilt voice's name, e.g. Kore.")]
ScenarioFile = Annotated[
    Path | None,
    typer.Option(help="A script of the local Live API's answers and faults (docs/scenarios.md)."),
]
Url = Annotated[str | None, typer.Option(help="A running server to call, instead of a new one.")]
Token = Annotated[str | None, typer.Option(help="The running server's access token, if any.")]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        metavar="'NAME: VALUE'",
        help="An HTTP header for it, such as a login proxy's cookie; may be repeated.",
    ),
]

Recording = Annotated[
    bool | None,
    typer.Option(
        "--agree-recording/--decline-recording",
        help="Agree or decline that a server that records calls records this one; "
        "by default its operator's setting decides.",
    ),
]


def _check_timeout(seconds: float) -> float:
    from vision_agent.caller.signalling import checked_timeout_s

    try:
        return checked_timeout_s(seconds)
    except ValueError as error:
        refuse(f"--timeout: {error}")


From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Where in the recording to begin: 80 or 01:20."),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Where in the recording to end.")
]


def read_cut(begin: str | None, end: str | None) -> Cut:
    """Read `--from` and `--to`; a mistake is reported in words."""
    from vision_agent.caller.cut import Cut, moment

    times = {"--from": begin, "--to": end}
    read = {}
    for name, text in times.items():
        try:
            read[name] = None if text is None else moment(text)
        except ValueError as error:
            refuse(f"{name}: {error}.")
    begin_s, end_s = read["--from"] or 0.0, read["--to"]
    if end_s is not None and end_s <= begin_s:
        refuse("--to has to be later than --from.")
    return Cut(begin_s) if end_s is None else Cut(begin_s, end_s)


Timeout = Annotated[
    float,
    typer.Option(callback=_check_timeout, help="Longest wait for an answer, in seconds."),
]


def _choose_log_format(chosen: LogFormat) -> LogFormat:
    if chosen is LogFormat.JSON:
        # Child processes read it from the environment.
        os.environ["VISION_AGENT_LOG_FORMAT"] = chosen
        log_json()
    return chosen


Logs = Annotated[
    LogFormat,
    typer.Option(
        "--log-format",
        envvar="VISION_AGENT_LOG_FORMAT",
        show_envvar=False,
        callback=_choose_log_format,
        is_eager=True,
        help="How standard error is written: text, or json, one object a line.",
    ),
]


_USER_ERRORS = {
    "vision_agent.agents.loader": "AgentError",
    "vision_agent.live.local_process": "LocalLiveApiError",
    "vision_agent.live.models": "ModelError",
    "vision_agent.live.pricing": "PriceError",
    "vision_agent.own_models": "OwnModelError",
    "vision_agent.local.scenarios.yaml_reader": "ScenarioError",
    "vision_agent.caller.media_file": "BadRecording",
    "vision_agent.evaluation.mistakes": "SuiteError",
    "vision_agent.server.run": "ServerError",
    "vision_agent.cluster.run": "ClusterError",
    "vision_agent.server_process": "ServerDidNotStart",
}


@contextmanager
def user_errors() -> Iterator[None]:
    """Print errors that the user can correct as a sentence, without a traceback; exit code 2."""
    try:
        yield
    except Exception as error:
        if _is_user_error(error):
            refuse(_in_words(error))
        raise


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{'' if error.filename is None else f'{error.filename}: '}{error.strerror}."
    return str(error)


def _is_user_error(error: Exception) -> bool:
    # A module that was not imported has raised nothing, and importing ADK takes seconds.
    homes = ((sys.modules.get(module), name) for module, name in _USER_ERRORS.items())
    known = tuple(getattr(module, name) for module, name in homes if module is not None)
    return isinstance(error, (OSError, *known))


def check_writable(*paths: Path | None) -> None:
    """Check before a call that its results can be written.

    Args:
        paths: The files, which need not exist; None is skipped.

    Raises:
        OSError: One of them can't be written.
    """
    for path in filter(None, paths):
        existed = path.exists()
        if existed and not path.is_file() and not path.is_dir():
            continue  # opening a pipe or a device has effects of its own
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()


def refuse(text: str) -> NoReturn:
    """Print the reason on standard error and exit with code 2."""
    err.say(text, "red")
    raise typer.Exit(2) from None


def read_settings(**given: Any) -> Settings:
    """Read the settings from options, environment and `.env`; a mistake is reported in words."""
    from vision_agent.settings import Settings

    flags = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**flags)
    except ValidationError as error:
        for problem in error.errors():
            where = _where(problem["loc"], flags)
            what = problem["msg"].removeprefix("Value error, ")
            err.say(f"{where}: {what}" if where else what, "red")
        raise typer.Exit(2) from None


_FLAGS = {"frame_rate_hz": "--frame-rate", "brain_timeout_s": "--brain-timeout"}
"""Flags whose name differs from their setting's."""


def _where(place: tuple[int | str, ...], flags: Container[str]) -> str:
    """Return what the user has to correct: the flag, or the variable."""
    if not place:
        return ""
    name, *inside = (str(part) for part in place)
    if name in flags:
        mend = _FLAGS.get(name, f"--{name.replace('_', '-')}")
    else:
        mend = f"VISION_AGENT_{name.upper()}"
    return ".".join((mend, *inside))
