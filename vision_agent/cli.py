"""The command line: `vision-agent serve`, `replay`, `live-server`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from dotenv import load_dotenv
from pydantic import ValidationError
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from vision_agent.version import __version__

app = typer.Typer(
    name="vision-agent",
    help="Video-call an AI agent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Agent = Annotated[
    str | None,
    typer.Option(
        help="An ADK agent folder (agent.py with root_agent), or package.module:attribute."
    ),
]
Model = Annotated[
    str | None, typer.Option(help="A live model, or `local` for the Live API on this machine.")
]
Voice = Annotated[str | None, typer.Option(help="A prebuilt voice's name, e.g. Kore.")]
ScenarioFile = Annotated[
    Path | None,
    typer.Option(help="What the local Live API says and what goes wrong; see docs/scenarios.md."),
]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"vision-agent {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Video-call an AI agent."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(name)s: %(message)s",
        handlers=[RichHandler(console=err, show_path=False)],
    )
    if not verbose:
        # It warns of every frame it can't decode, and asks for a new one: nothing for a person.
        logging.getLogger("aiortc").setLevel(logging.ERROR)
        # It prints the traceback of what we tell the caller in words.
        logging.getLogger("google_adk").setLevel(logging.CRITICAL)
    # Keys keep their usual names; the environment wins over the file.
    load_dotenv(Path.cwd() / ".env", override=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one [7860].")] = None,
    agent: Agent = None,
    model: Model = None,
    voice: Voice = None,
    language: Annotated[str | None, typer.Option(help="Of the agent's speech, e.g. en-US.")] = None,
    frame_rate: Annotated[
        float | None, typer.Option(help="Pictures a second, at most [1].")
    ] = None,
    max_calls: Annotated[int | None, typer.Option(help="Calls at the same time [20].")] = None,
    scenario: ScenarioFile = None,
) -> None:
    """Answer video calls; the page is at the address it prints. Ctrl-C stops it.

    Every option also has a VISION_AGENT_… variable; see .env.example.
    """
    from vision_agent.server import run_server

    settings = _settings(
        host=host,
        port=port,
        agent=agent,
        model=model,
        voice=voice,
        language=language,
        frame_rate_hz=frame_rate,
        max_calls=max_calls,
        scenario=scenario,
    )
    with _refusals():
        run_server(settings, say=out.print)


@app.command(name="live-server")
def live_server(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 picks a free one.")] = 9443,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Leave the certificate here [a file that goes with the server]."),
    ] = None,
    scenario: ScenarioFile = None,
    limits: Annotated[
        bool, typer.Option(help="End connections and sessions as the public service does.")
    ] = True,
    connection_s: Annotated[
        float | None, typer.Option(min=0.1, help="How long a connection lives [600].")
    ] = None,
) -> None:
    """Serve the local Live API alone, for any google-genai client; see docs/local-live-api.md."""
    from vision_agent.live_server_command import LiveServerCommand

    command = LiveServerCommand(host, port, certificate, scenario, limits, connection_s)
    with _refusals():
        command.run(lambda text: out.print(text, soft_wrap=True, markup=False))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recording: anything PyAV opens.")],
    say: Annotated[
        Path | None, typer.Option(help="A sound file to speak instead of its own.")
    ] = None,
    ask: Annotated[
        str | None, typer.Option(help="A sentence to speak, in the local engine's voice.")
    ] = None,
    type_text: Annotated[
        str | None, typer.Option("--type", help="A sentence to type instead of speaking.")
    ] = None,
    agent: Agent = None,
    model: Model = None,
    voice: Voice = None,
    url: Annotated[str | None, typer.Option(help="A running server, instead of a new one.")] = None,
    token: Annotated[str | None, typer.Option(help="Its access token, if it wants one.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the report here.")] = None,
    wav_out: Annotated[
        Path | None, typer.Option("--wav", help="Write the agent's voice here.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Longest wait for an answer, in seconds.")] = 60.0,
) -> None:
    """Make a call from a recorded video. Exit code 0 only if the agent answered."""
    from vision_agent.replay_command import ReplayCommand

    command = ReplayCommand(
        file=file,
        say=say,
        ask=ask,
        typed=type_text,
        serve_arguments=_arguments(agent=agent, model=model, voice=voice),
        url=url,
        token=token,
        timeout_s=timeout,
    )
    with _refusals():
        report = asyncio.run(command.run(out))
        if json_out:
            report.write_json(json_out)
        if wav_out:
            report.write_wav(wav_out)
    for problem in report.errors:
        err.print(f"[red]{escape(problem)}[/]", soft_wrap=True)
    if not report.answered:
        err.print("The agent did not answer.")
        raise typer.Exit(1)


def _arguments(**options: str | None) -> tuple[str, ...]:
    return tuple(word for name, value in options.items() if value for word in (f"--{name}", value))


@contextmanager
def _refusals() -> Iterator[None]:
    """Everything that a person can mend is said in words, without a traceback."""
    from vision_agent.agents import AgentError
    from vision_agent.live.local_process import LocalServerError
    from vision_agent.live.models import ModelError
    from vision_agent.local import ScenarioError
    from vision_agent.replay import BadRecording
    from vision_agent.server import ServerError
    from vision_agent.server_process import ServerDidNotStart

    try:
        yield
    except (
        AgentError,
        ModelError,
        LocalServerError,
        ScenarioError,
        ServerError,
        ServerDidNotStart,
        BadRecording,
        OSError,
    ) as error:
        err.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
        raise typer.Exit(2) from None


def _settings(**given: Any) -> Any:
    from vision_agent.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"])
            err.print(f"[red]{where}[/]: {problem['msg']}", soft_wrap=True)
        raise typer.Exit(2) from None


def main() -> None:
    """Entry point of the console script."""
    app()
