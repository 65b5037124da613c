"""`vision-agent live-server`: the local Live API alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_agent.cli.options import Logs, ScenarioFile, out, refusals
from vision_agent.logs import LogFormat


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
    data_dir: Annotated[
        Path | None, typer.Option(help="Where to keep what users teach [the platform's own place].")
    ] = None,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Serve the local Live API alone, for any google-genai client; see docs/local-live-api.md."""
    from vision_agent.cli.live_server_command import LiveServerCommand

    command = LiveServerCommand(host, port, certificate, scenario, limits, connection_s, data_dir)
    with refusals():
        command.run(out.say)
