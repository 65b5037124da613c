"""The list of commands. Each is a file or a folder in `vision_agent.cli`."""

from __future__ import annotations

import io
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from dotenv import load_dotenv

from vision_agent.cli.case import case
from vision_agent.cli.cluster import cluster
from vision_agent.cli.doctor import doctor
from vision_agent.cli.eval.command import evaluate
from vision_agent.cli.live_server import live_server
from vision_agent.cli.models import models
from vision_agent.cli.options import out
from vision_agent.cli.replay import replay
from vision_agent.cli.serve import serve
from vision_agent.cli.talk.options import talk
from vision_agent.logs import start_logging
from vision_agent.terminal import CannotPrint
from vision_agent.version import __version__

app = typer.Typer(
    name="vision-agent",
    help="Video-call an AI agent.",
    no_args_is_help=True,
    # Rich takes text in brackets, such as a default value, for markup and drops it.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve)
app.command("cluster")(cluster)
app.command("replay")(replay)
app.command("case")(case)
app.command("eval")(evaluate)
app.command("talk")(talk)
app.command("live-server")(live_server)
app.command("models")(models)
app.command("doctor")(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        out.say(f"vision-agent {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens.")] = False,
) -> None:
    """Video-call an AI agent."""
    start_logging(verbose=verbose)
    if not verbose:
        # aiortc warns of every frame it can't decode, although it then asks for a new one.
        for name in ("aiortc", "vision_agent.rtc.own.aiortc"):
            logging.getLogger(name).setLevel(logging.ERROR)
        # ADK logs a traceback for errors that the caller gets as a sentence.
        logging.getLogger("google_adk").setLevel(logging.CRITICAL)
    # API keys keep their usual names. The environment takes precedence over the file.
    load_dotenv(Path.cwd() / ".env", override=False)


def main() -> None:
    """Run the command line.

    What the terminal's encoding lacks is printed as an escape sequence, as on standard error. If
    the output can't be written and the command does nothing else, the exit code is 1.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(errors="backslashreplace")
    why: BaseException | None = None
    try:
        app()
    except* CannotPrint as failures:
        why = failures
    finally:
        if why is not None or out.quiet:
            with open(os.devnull, "w") as nowhere:  # Python flushes the output again at its end
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
    while isinstance(why, BaseExceptionGroup):
        why = why.exceptions[0]
    if why is not None:
        piped = isinstance(why.__cause__, BrokenPipeError)
        sys.exit(1 if piped else str(why))  # `| head` is no failure to speak of
