"""`vision-agent case`: makes a case of a suite from a recorded call."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vision_agent.cli.options import From, Logs, To, err, out, read_cut, refuse, user_errors
from vision_agent.logs import LogFormat
from vision_agent.terminal import one_line

if TYPE_CHECKING:
    from vision_agent.caller.cut import Cut
    from vision_agent.evaluation.recorded_case import RecordedCase
    from vision_agent.replay.caller_source import CallerSource


def case(
    *,
    call: Annotated[Path, typer.Argument(help="A recorded call: its folder, or a file in it.")],
    name: Annotated[str, typer.Option(help="The name of the case.")],
    begin: From = None,
    end: To = None,
    suite: Annotated[
        Path | None,
        typer.Option(help="The suite to add it to; by default a new file named after the case."),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(help="The agent to call, as for `serve --agent`; by default the suite's."),
    ] = None,
    copy: Annotated[
        bool,
        typer.Option(
            "--copy", help="Copy that part of the recording into a folder beside the suite."
        ),
    ] = False,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Write a recorded call, or a part of it, as a case of a suite, for a person to edit."""
    from vision_agent.evaluation.suite_text import names_agents

    cut = read_cut(begin, end)
    name = one_line(name)
    slug = re.sub(r"[^\w-]+", "-", name.lower()).strip("-")[:80]
    if not slug:
        refuse("--name has no letter in it.")
    path = suite or Path(f"{slug}.yaml")
    if path.is_dir():
        refuse(f"{path} is a folder: give the suite's file.")
    if not copy and not path.parent.is_dir():
        refuse(f"There is no folder {path.parent}.")
    with user_errors():
        made, folder = _write(call, cut, name, path, slug if copy else None, agent)
        unnamed = agent is None and not names_agents(path.read_text(encoding="utf-8"))
    out.say(made.text().rstrip("\n"))
    out.say(
        f"\nWritten to {path}{f', with {folder}' if copy else ''}. Edit what is expected.", "dim"
    )
    if made.not_expected is not None:
        err.say(made.not_expected, "yellow")
    if unnamed and made.header.agent != _DEFAULT_AGENT:
        err.say(
            f"The recorded call was answered by {one_line(made.header.agent) or 'an agent'}, and "
            f"`eval {path}` calls the default agent: name another one with --agent, here or there.",
            "yellow",
        )


def _write(
    call: Path, cut: Cut, name: str, path: Path, copy_as: str | None, agent: str | None
) -> tuple[RecordedCase, Path]:
    """Write the suite; returns the case, and the recorded call's folder."""
    from vision_agent.caller.recording import BadRecording
    from vision_agent.evaluation.recorded_case import RecordedCase
    from vision_agent.evaluation.suite_text import CaseNotAdded, with_case
    from vision_agent.replay.caller_source import open_source
    from vision_agent.replay.recorded_copy import copy_part
    from vision_agent.replay.script import FixedScript

    source: CallerSource = open_source(call, cut, FixedScript([]))
    if source.call is None or source.part is None:
        raise BadRecording(f"{call} is not a recorded call: there is no call.jsonl beside it.")
    try:
        before = path.read_bytes().decode() if path.exists() else ""
    except UnicodeDecodeError:
        refuse(f"{path} is not a suite: it is not UTF-8.")
    folder, begin_s, end_s = source.call.folder, cut.begin_s, cut.end_s
    if copy_as is not None:
        folder = path.parent / copy_as
        if folder.exists():
            refuse(f"{folder} is there already: give the case another --name.")
    target = None if agent is None else _target(agent, path.parent)
    after = [each for each in source.part.lines if each.at_ms >= source.part.end_ms]
    made = RecordedCase(name, "", None, None, source.call.header, source.part.inside)
    try:
        with_case(before, made.text(), name)  # checked before anything is written
        if copy_as is not None:
            shift_s = copy_part(source.call, cut, folder)
            begin_s, end_s = begin_s - shift_s, end_s - shift_s
        made = RecordedCase(
            name,
            _relative(folder / "call.mkv", path.parent),
            begin_s or None,
            None if end_s == float("inf") else end_s,
            source.call.header,
            source.part.inside,
            after,
            target,
        )
        text = with_case(
            before or _NEW.format(name=one_line(source.call.header.agent)), made.text(), name
        )
    except CaseNotAdded as error:
        refuse(f"{path}: {error}.")
    try:
        _put(path.resolve(), text)
    except OSError:
        if copy_as is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return made, folder


def _put(path: Path, text: str) -> None:
    """Write a file completely or not at all: a full disk must not cost a person's work."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="")
        if path.exists():
            shutil.copymode(path, new)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _target(agent: str, folder: Path) -> str:
    """The agent that `--agent` names, relative to that folder; mistakes are reported in words."""
    from vision_agent.evaluation.agent_target import AgentTarget

    target = AgentTarget.named(agent)
    if target.agent is not None and Path(target.agent).is_absolute():
        return _relative(Path(target.agent), folder)
    return target.url or target.agent or agent


_DEFAULT_AGENT = "vision_agent"  # equals `agents.default_agent`, whose import takes two seconds
_NEW = "# agents: [path/to/an/agent]  # the recorded call was answered by {name}\n"


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()
