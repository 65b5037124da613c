"""`vision-agent cluster`: answer video calls on several cores and machines."""

from __future__ import annotations

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
def cluster(
    *,
    answers: dict[str, Any],
    brain: dict[str, Any],
    workers: Annotated[
        str,
        typer.Option(
            metavar="N or LEAST-MOST", help="Processes that take calls [1 to one per core]."
        ),
    ] = "",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ray://HOST:PORT",
            help="Deploy to a running Ray cluster, instead of one on this machine.",
        ),
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Show Ray's dashboard on this machine.")
    ] = False,
    host: Host = None,
    port: Port = None,
    udp_ports: Annotated[
        str | None,
        typer.Option(metavar="FIRST-LAST", help="UDP ports; each worker of a machine uses one."),
    ] = None,
    public_ip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="An address at which callers reach the workers behind NAT; stun:HOST:PORT finds "
            "each machine's.",
        ),
    ] = None,
    agent: Agent = None,
    model: Model = None,
    max_calls: Annotated[
        int | None, typer.Option(help="Calls at the same time, of each worker [20].")
    ] = None,
    session_db: SessionDb = None,
    record: Record = None,
    record_consent: RecordConsent = None,
    record_max_minutes: RecordMaxMinutes = None,
    keep_recordings: KeepRecordings = None,
    scenario: ScenarioFile = None,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Answer video calls on several cores or machines, with Ray (the extra `cluster`).

    Ctrl-C stops it. SIGTERM stops it too, but lets the calls in progress go on for a while first.

    Every other option of `serve` is set by its VISION_AGENT_… variable; see .env.example.
    """
    from vision_agent.cluster.run import run_cluster
    from vision_agent.local import load_scenario

    settings = read_settings(
        host=host,
        port=port,
        udp_ports=udp_ports,
        public_ip=public_ip or None,
        agent=agent,
        model=model,
        max_calls=max_calls,
        session_db=session_db,
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
            load_scenario(settings.scenario)
        run_cluster(settings, workers=workers, address=address, dashboard=dashboard, say=out.say)
