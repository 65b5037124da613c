"""`vision-agent live-server`: the local Live API alone, and how to reach it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vision_agent.cli.brain_flags import brain_flags
from vision_agent.cli.options import Logs, ScenarioFile, out, read_settings, refuse, user_errors
from vision_agent.logs import LogFormat

if TYPE_CHECKING:
    from vision_agent.local import Limits

_GUIDE = """\
Local Live API: {url} (Ctrl-C stops it)
Certificate: {certificate}
Models: local, and the public service's; any key will do

To reach it, set GEMINI_API_KEY=any, GOOGLE_GEMINI_BASE_URL={url}
  in Python (google-genai, ADK): SSL_CERT_FILE={certificate}
  in Node (@google/genai): NODE_EXTRA_CA_CERTS={certificate}
All about it: docs/local-live-api.md"""


@brain_flags
def live_server(
    *,
    brain: dict[str, Any],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 9443,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Write the certificate here [a file that is deleted at the end]."),
    ] = None,
    scenario: ScenarioFile = None,
    limits: Annotated[
        bool, typer.Option(help="End connections and sessions as the public service does.")
    ] = True,
    connection_s: Annotated[
        float | None, typer.Option(min=0.1, help="How long a connection lasts, in seconds [590].")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for what users teach [the platform's data folder]."),
    ] = None,
    voice: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A server with OpenAI's speech interface, which speaks."),
    ] = None,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Serve the local Live API alone, for any google-genai client; see docs/local-live-api.md."""
    from vision_agent.data_folder import data_folder, private_folder
    from vision_agent.local import load_scenario, run_live_server
    from vision_agent.server.listening import CannotListen, listen

    try:
        listen(host, port).close()  # fails with a sentence before the engine is started
    except CannotListen as error:
        refuse(str(error))
    with user_errors():
        own = read_settings(**brain, voice=voice).own_models()
    with (
        user_errors(),
        out.optional(),
        tempfile.TemporaryDirectory(prefix="vision-agent-") as folder,
    ):
        script = load_scenario(scenario) if scenario else None
        kept_in = data_dir or data_folder()
        private_folder(kept_in)
        pem = certificate or Path(folder, "live.pem")

        def announce(bound_port: int, certificate_pem: str) -> None:
            pem.write_text(certificate_pem)
            url = f"https://{f'[{host}]' if ':' in host else host}:{bound_port}"
            out.say(_GUIDE.format(url=url, certificate=pem.absolute()))
            if own.servers:
                out.say(f"With {own.label}")

        run_live_server(
            host, port, announce, script, _limits(connection_s, unlimited=not limits), kept_in, own
        )


def _limits(connection_s: float | None, *, unlimited: bool) -> Limits:
    from vision_agent.local import SERVICE, UNLIMITED

    limits = UNLIMITED if unlimited else SERVICE
    if connection_s is None:
        return limits
    # A tenth, like the service's one minute of its ten.
    return replace(limits, connection_s=connection_s, go_away_s=connection_s / 10)
