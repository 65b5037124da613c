"""`vision-agent models`: the live models and voices, and which would answer now."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from vision_agent.cli.options import Agent, Model, Voice, err, out, read_settings, user_errors
from vision_agent.terminal import one_line

_PIPED_WIDTH = 500
"""In characters, longer than every line of the table: a pipe's reader gets one line for each
model."""


def models(
    agent: Agent = None,
    model: Model = None,
    voice: Voice = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the live models with what each can do, the voices, and which would answer now.

    Exit code 2 if a call could not be answered with these options.
    """
    from vision_agent.agents.model_report import models_report
    from vision_agent.server.model_options import model_options

    settings = read_settings(agent=agent, model=model, voice=voice)
    with user_errors():
        options = model_options(settings)
    report = models_report(options, os.environ)
    now = report["now"]
    if as_json:
        out.say(json.dumps(report, indent=2))
    else:
        if not out.is_terminal:
            out.width = _PIPED_WIDTH
        out.print(_table(report))
        out.say("Voices: " + ", ".join(report["voices"]))
        if now["error"] is None:
            voice = f"voice: {now['voice'] or 'the model chooses'}"
            out.print(
                Text.assemble(
                    "Now: ", (now["model"], "bold"), f" ({one_line(now['label'])}), {voice}."
                ),
                soft_wrap=True,
            )
            for note in now["notes"]:
                err.say(one_line(note), "yellow")
    if now["error"] is not None:
        if not as_json:
            err.say(one_line(now["error"]), "red")
        raise typer.Exit(2)


def _table(report: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Model", no_wrap=True)
    table.add_column("Served by", no_wrap=True)
    table.add_column("Beyond speech and tools")
    for model in report["models"]:
        chosen = model["name"] == report["now"].get("model")
        table.add_row(
            f"[bold]{model['name']}[/]" if chosen else model["name"],
            _served_by(model),
            ", ".join(_features(model)) or "nothing",
        )
    return table


def _served_by(model: dict[str, Any]) -> str:
    if model["ai_studio"] and model["vertex"]:
        return "both"
    if model["ai_studio"]:
        return "AI Studio"
    return "Vertex AI" if model["vertex"] else "this machine"


_THINKING = {
    "budget": "thinking (budget)",
    "level": "thinking (level)",
    "required": "thinking (level needed)",
    "any": "thinking (accepted, without effect)",
}


def _features(model: dict[str, Any]) -> Iterator[str]:
    if model["role"] == "transcribe":
        yield "only transcribes, so not for calls"
        return
    if model["role"] == "translate":
        yield "translates"
    if model["affective"]:
        served = model["ai_studio"] or model["vertex"]
        yield "affective dialog" + ("" if served else " (accepted, without effect)")
    if model["proactive"] != "never":
        yield "proactive audio" + (" (always)" if model["proactive"] == "always" else "")
    if model["thinking"] != "never":
        yield _THINKING[model["thinking"]]
    if model["text_out"]:
        yield "answers in text" + ("" if model["sound_out"] else " only")
    if model["background_tools"] != "never":
        always = model["background_tools"] == "default"
        yield "tools in the background" + (" (by default)" if always else "")
    if model["shut_down"]:
        yield f"reported to be shut down on {model['shut_down']}"
