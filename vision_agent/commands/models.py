"""`vision-agent models`: which live models and voices there are, and which would answer now."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from vision_agent.commands.options import Agent, Model, Voice, err, out, read_settings


def models(
    agent: Agent = None,
    model: Model = None,
    voice: Voice = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List the live models with what each can do, the voices, and which would answer now.

    Exit code 2 if a call could not be answered with these options.
    """
    from vision_agent.models_report import models_report

    report = models_report(read_settings(agent=agent, model=model, voice=voice), os.environ)
    now = report["now"]
    if as_json:
        print(json.dumps(report, indent=2))  # noqa: T201 - not for the console to wrap
    else:
        out.print(_table(report))
        out.print("Voices: " + ", ".join(report["voices"]))
        if now["error"] is None:
            out.print(
                f"Now: [bold]{escape(now['model'])}[/] ({escape(now['label'])}), "
                f"voice: {now['voice'] or 'the model chooses'}.",
                soft_wrap=True,
            )
    if now["error"] is not None:
        if not as_json:
            err.print(f"[red]{escape(now['error'])}[/]", soft_wrap=True)
        raise typer.Exit(2)


def _table(report: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Model", "From", "Affective", "Proactive", "Thinking", "Text out", "Tools"):
        table.add_column(heading, no_wrap=heading == "Model")
    for model in report["models"]:
        served = [
            name
            for name, here in (("AI Studio", model["ai_studio"]), ("Vertex AI", model["vertex"]))
            if here
        ]
        chosen = model["name"] == report["now"].get("model")
        table.add_row(
            f"[bold]{model['name']}[/]" if chosen else model["name"],
            ", ".join(served) or "this machine",
            "yes" if model["affective"] else "no",
            {"never": "no", "optional": "on request", "always": "always"}[model["proactive"]],
            *("yes" if model[feature] else "no" for feature in ("thinking", "text_out")),
            {
                "never": "waits",
                "declared": "waits unless declared",
                "default": "in background",
            }[model["background_tools"]],
        )
    return table
