"""`vision-agent replay`: a recording that makes a call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vision_agent.cli.called_server import CalledServer
from vision_agent.cli.options import (
    From,
    Logs,
    To,
    check_writable,
    err,
    out,
    read_cut,
    refuse,
    user_errors,
)
from vision_agent.logs import LogFormat
from vision_agent.terminal import one_line

if TYPE_CHECKING:
    from vision_agent.replay import ReplayOptions, Report
    from vision_agent.replay.comparison import ComparedRow

_NAMES = {"user": "You", "agent": "Agent"}


@CalledServer.flags
def replay(
    *,
    server: CalledServer,
    file: Annotated[
        Path, typer.Argument(help="A recorded call (call.mkv), or any video, image or sound.")
    ],
    say: Annotated[
        Path | None, typer.Option(help="A sound file to speak instead of its own.")
    ] = None,
    ask: Annotated[
        str | None, typer.Option(help="A sentence to speak, in the local engine's voice.")
    ] = None,
    type_text: Annotated[
        str | None, typer.Option("--type", help="A sentence to type instead of speaking.")
    ] = None,
    screen: Annotated[
        Path | None, typer.Option(help="A video or an image to show as a shared screen as well.")
    ] = None,
    begin: From = None,
    end: To = None,
    patient: Annotated[
        bool,
        typer.Option(
            help="A recorded caller waits for the answer to what it said before, "
            "instead of speaking at its times."
        ),
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what is different from the recorded call.")
    ] = False,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write the report here, as JSON.")
    ] = None,
    html_out: Annotated[
        Path | None, typer.Option("--html", help="Write the report here, as a page to look at.")
    ] = None,
    wav_out: Annotated[
        Path | None, typer.Option("--wav", help="Write the agent's voice here.")
    ] = None,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Make a call from a recorded video. Exit code 0 only if the agent answered to the end."""
    from vision_agent.replay import ReplayOptions
    from vision_agent.replay.comparison import as_json
    from vision_agent.replay.report_page import report_page

    questions = {"--say": say, "--ask": ask, "--type": type_text}
    given = [name for name, value in questions.items() if value is not None]
    if len(given) > 1:
        refuse(f"{' and '.join(given)} are {len(given)} questions: give one of them.")
    for name, value in questions.items():
        if isinstance(value, str) and not value.strip():
            refuse(f"{name} is empty: there is nothing to ask.")
    if compare and given:
        refuse(f"--compare makes the recorded call again: leave {given[0]} out.")
    cut = read_cut(begin, end)
    wanted = any((json_out, html_out, wav_out))
    with user_errors(), out.optional(wanted):
        check_writable(json_out, html_out, wav_out)
        options = ReplayOptions(
            file,
            "",
            say=say,
            typed=type_text,
            screen=screen,
            timeout_s=server.timeout_s,
            token=server.token,
            headers=server.headers,
            asked=server.asked,
            begin_s=cut.begin_s,
            end_s=cut.end_s,
            patient=patient,
        )
        report, compared = asyncio.run(_replay(server, options, ask, compare))
        if compared:
            _show(compared)
        if json_out:
            report.write_json(json_out, **({"comparison": as_json(compared)} if compared else {}))
        if html_out:
            html_out.write_text(report_page(report, file.name, compared), encoding="utf-8")
        if wav_out:
            report.write_wav(wav_out)
    for problem in report.errors:
        err.say(one_line(problem), "red")
    if not report.answered:
        begun = report.reply_ms is not None
        err.say(f"The agent did not {'finish its answer' if begun else 'answer'}.")
        raise typer.Exit(1)


async def _replay(
    server: CalledServer, options: ReplayOptions, ask: str | None, compare: bool
) -> tuple[Report, list[ComparedRow]]:
    """Make the call, and show it on the console as it happens."""
    from vision_agent.caller.cut import Cut
    from vision_agent.local import speak_question
    from vision_agent.replay import open_source, screen_recording
    from vision_agent.replay.comparison import ComparedCall
    from vision_agent.replay.comparison import compare as compare_calls
    from vision_agent.replay.script import FixedScript

    # A file that can't be replayed is refused before a server is started.
    assert options.file is not None
    cut = Cut(options.begin_s, options.end_s)
    asks = ask is not None or options.say is not None or options.typed is not None
    # The file's own sound is read only if it is to be played; it may have none that can be.
    question = FixedScript([]) if asks else None
    source = await asyncio.to_thread(open_source, options.file, cut, question)
    if source.call is not None:
        header = source.call.header
        out.say(one_line(f"Recorded with the agent {header.agent}, model {header.model}."), "dim")
    elif compare:
        refuse(f"{options.file} is not a recorded call: there is nothing to compare with.")
    if options.screen is not None:
        await asyncio.to_thread(screen_recording, options.screen)
    async with AsyncExitStack() as stack:
        url = await server.address(stack, out)
        spoken = await speak_question(ask) if ask else None
        report = await _watched(replace(options, url=url, say_pcm=spoken))
    if not compare or source.part is None:
        return report, []
    first = ComparedCall.recorded(source.part.inside)
    return report, compare_calls(first, ComparedCall.made(report))


def _show(compared: Sequence[ComparedRow]) -> None:
    from vision_agent.cli.comparison_table import comparison_table
    from vision_agent.replay.comparison import differences

    out.print(comparison_table(compared))
    count = differences(compared)
    words = {0: "No differences.", 1: "One difference."}
    out.say(words.get(count, f"{count} differences."), "bold")


async def _watched(options: ReplayOptions) -> Report:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    from vision_agent.replay import replay as replay_call

    progress = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
    )
    bar = progress.add_task("dialling", total=1.0)

    def show_line(who: str, text: str, at_ms: int) -> None:
        name = (f"{_NAMES.get(who, who)}:", "bold")
        line = Text.assemble(f"{at_ms / 1000:6.1f} s  ", name, f" {one_line(text)}")
        out.print(line, soft_wrap=True)

    with progress:
        return await replay_call(
            options,
            on_note=lambda text: out.print(Text(text, "dim"), soft_wrap=True),
            on_progress=lambda part: progress.update(bar, completed=part),
            on_transcript=show_line,
            on_state=lambda state: progress.update(bar, description=state),
        )
