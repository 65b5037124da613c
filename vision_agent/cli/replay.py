"""`vision-agent replay`: a recording that makes a call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from vision_agent.cli.options import (
    CalledAgent,
    Headers,
    Logs,
    Model,
    Timeout,
    Token,
    Url,
    Voice,
    call_options,
    check_writable,
    err,
    out,
    read_headers,
    refusals,
    refuse,
    refuse_with_url,
    serve_arguments,
)
from vision_agent.logs import LogFormat
from vision_agent.terminal import one_line


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
    agent: CalledAgent = None,
    model: Model = None,
    voice: Voice = None,
    url: Url = None,
    token: Token = None,
    header: Headers = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write the report here, as JSON.")
    ] = None,
    html_out: Annotated[
        Path | None, typer.Option("--html", help="Write the report here, as a page to look at.")
    ] = None,
    wav_out: Annotated[
        Path | None, typer.Option("--wav", help="Write the agent's voice here.")
    ] = None,
    timeout: Timeout = 60.0,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Make a call from a recorded video. Exit code 0 only if the agent answered."""
    from vision_agent.cli.replay_command import ReplayCommand
    from vision_agent.replay.report_page import report_page

    questions = {"--say": say, "--ask": ask, "--type": type_text}
    given = [name for name, value in questions.items() if value is not None]
    if len(given) > 1:
        refuse(f"{' and '.join(given)} are {len(given)} questions: give one of them.")
    for name, value in questions.items():
        if isinstance(value, str) and not value.strip():
            refuse(f"{name} is empty: there is nothing to ask.")
    asked = call_options(url, agent=agent, voice=voice)
    refuse_with_url(url, model=model)
    command = ReplayCommand(
        file=file,
        say=say,
        ask=ask,
        typed=type_text,
        serve_arguments=serve_arguments(agent=agent, model=model, voice=voice),
        asked=asked,
        url=url,
        token=token,
        headers=read_headers(header),
        timeout_s=timeout,
    )
    with refusals():
        check_writable(json_out, html_out, wav_out)
        report = asyncio.run(command.run(out))
        if json_out:
            report.write_json(json_out)
        if html_out:
            html_out.write_text(report_page(report, file.name), encoding="utf-8")
        if wav_out:
            report.write_wav(wav_out)
    for problem in report.errors:
        err.say(one_line(problem), "red")
    if not report.answered:
        err.say("The agent did not answer.")
        raise typer.Exit(1)
