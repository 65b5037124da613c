"""`vision-agent doctor`: what works on this machine, and how to fix the rest."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from vision_agent.cli.options import Agent, Host, Model, Voice, out, read_settings
from vision_agent.terminal import one_line

if TYPE_CHECKING:
    from vision_agent.doctor.finding import Finding

_STYLES = {"ok": "green", "note": "dim", "warning": "yellow", "problem": "red"}


def doctor(
    agent: Agent = None,
    model: Model = None,
    voice: Voice = None,
    host: Host = None,
    port: Annotated[int | None, typer.Option(help="Port [7860].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check key, model, network, devices and libraries; say what to do. Works offline.

    Exit code 1 if something is broken that calls need.
    """
    from vision_agent.doctor.checkup import all_checks
    from vision_agent.doctor.run import run_checks

    settings = read_settings(agent=agent, model=model, voice=voice, host=host, port=port)
    checks = all_checks(settings, os.environ)
    findings = asyncio.run(run_checks(checks, (lambda finding: None) if as_json else _show))
    if as_json:
        found = [finding.to_dict() for finding in findings]
        out.say(json.dumps(found, indent=2))
    problems = sum(finding.status == "problem" for finding in findings)
    if not as_json:
        out.say("Calls work here." if not problems else f"Problems: {problems}.")
    if problems:
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    out.print(
        Text.assemble(
            (f"{finding.status:<7}", _STYLES[finding.status]),
            " ",
            (finding.check, "bold"),
            f": {one_line(finding.text)}",
        ),
        soft_wrap=True,
    )
    if finding.advice:
        out.say(f"        → {one_line(finding.advice)}")
