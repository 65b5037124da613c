"""`vision-agent live-server`: the local Live API alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_agent.commands.options import ScenarioFile, out, refusals


def live_server(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 picks a free one.")] = 9443,
    certificate: Annotated[
        Path | None, typer.Option(help="Write the certificate that clients must trust here.")
    ] = None,
    scenario: ScenarioFile = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where to keep what users teach [the platform's own place].")
    ] = None,
) -> None:
    """Serve the local Live API alone, for any google-genai client."""
    from vision_agent.local import load_scenario, run_live_server

    with refusals():
        script = load_scenario(scenario) if scenario else None

    def announce(bound_port: int, certificate_pem: str) -> None:
        out.print(f"Local Live API: https://{host}:{bound_port}")
        if certificate:
            certificate.write_text(certificate_pem)
            out.print(f"Its certificate: {certificate}")
        else:
            out.print(certificate_pem.strip())

    run_live_server(host, port, announce, script, data_dir)
