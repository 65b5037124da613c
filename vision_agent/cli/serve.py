"""`vision-agent serve`: answer video calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vision_agent.cli.answer_flags import answer_flags
from vision_agent.cli.brain_flags import brain_flags
from vision_agent.cli.options import (
    Agent,
    Host,
    Logs,
    Model,
    Port,
    ScenarioFile,
    SessionDb,
    out,
    read_settings,
    user_errors,
)
from vision_agent.cli.record_flags import (
    KeepRecordings,
    Record,
    RecordConsent,
    RecordMaxMinutes,
)
from vision_agent.logs import LogFormat


@answer_flags
@brain_flags
def serve(
    *,
    answers: dict[str, Any],
    brain: dict[str, Any],
    host: Host = None,
    port: Port = None,
    udp_port: Annotated[
        int | None,
        typer.Option(help="UDP port of all calls; 0: a random one for each [--port + 1]."),
    ] = None,
    udp_ports: Annotated[
        str | None,
        typer.Option(metavar="FIRST-LAST", help="A range of UDP ports, one for each call."),
    ] = None,
    public_ip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS[:PORT]",
            help="An address at which callers reach a server behind NAT, with the UDP port if it "
            "differs from outside; may be repeated. stun:HOST:PORT finds it.",
        ),
    ] = None,
    https: Annotated[
        bool | None,
        typer.Option(
            "--https/--no-https",
            help="Speak HTTPS and listen on the network, so that a phone can call [no].",
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(help="The certificate for HTTPS (PEM) [the server makes one]."),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's private key (PEM).")] = None,
    agent: Agent = None,
    model: Model = None,
    frame_rate: Annotated[float | None, typer.Option(help="Frames a second, at most [1].")] = None,
    max_calls: Annotated[int | None, typer.Option(help="Calls at the same time [20].")] = None,
    session_db: SessionDb = None,
    tool_reports: Annotated[
        str | None,
        typer.Option(help="What callers see of tools: none, name or full [name]."),
    ] = None,
    turn: Annotated[
        list[str] | None,
        typer.Option(
            metavar="turn:HOST:PORT",
            help="A TURN server for calls that can't connect directly; may be repeated. Also "
            "turns:…, and …?transport=tcp.",
        ),
    ] = None,
    turn_secret: Annotated[
        str | None,
        typer.Option(help="The TURN server's secret, from which each call gets credentials."),
    ] = None,
    turn_secret_file: Annotated[
        Path | None, typer.Option(help="The file that holds the secret.")
    ] = None,
    record: Record = None,
    record_consent: RecordConsent = None,
    record_max_minutes: RecordMaxMinutes = None,
    keep_recordings: KeepRecordings = None,
    scenario: ScenarioFile = None,
    log_format: Logs = LogFormat.TEXT,
    until_eof: Annotated[
        bool, typer.Option(hidden=True, help="Stop when standard input ends, as by Ctrl-C.")
    ] = False,
) -> None:
    """Answer video calls; the page is at the address it prints. Ctrl-C stops it.

    SIGTERM stops it too, but lets the calls in progress go on for a while first.

    Every option also has a VISION_AGENT_… variable; see .env.example.
    """
    from vision_agent.local import load_scenario
    from vision_agent.server.run import run_server

    settings = read_settings(
        host=host,
        port=port,
        udp_port=udp_port,
        udp_ports=udp_ports,
        public_ip=public_ip or None,
        https=https,
        cert=cert,
        key=key,
        agent=agent,
        model=model,
        frame_rate_hz=frame_rate,
        max_calls=max_calls,
        session_db=session_db,
        tool_reports=tool_reports,
        turn=turn or None,
        turn_secret=turn_secret,
        turn_secret_file=turn_secret_file,
        record=record,
        record_consent=record_consent,
        record_max_minutes=record_max_minutes,
        keep_recordings=keep_recordings,
        scenario=scenario,
        **brain,
        **answers,
    )
    with user_errors(), out.optional():
        if settings.scenario is not None:
            load_scenario(settings.scenario)  # reports mistakes in it before the server starts
        run_server(settings, say=out.say, until_eof=until_eof, show_token=out.is_terminal)
