"""`vision-agent live-server`: the local Live API alone, and how to reach it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vision_agent.data_folder import data_folder, private_folder
from vision_agent.local import SERVICE, UNLIMITED, Limits, load_scenario, run_live_server

_GUIDE = """\
Local Live API: {url} (Ctrl-C stops it)
Certificate: {certificate}
Models: local, and the public service's; any key will do

To reach it, set GEMINI_API_KEY=any, GOOGLE_GEMINI_BASE_URL={url}
  in Python (google-genai, ADK): SSL_CERT_FILE={certificate}
  in Node (@google/genai): NODE_EXTRA_CA_CERTS={certificate}
All about it: docs/local-live-api.md"""


@dataclass(frozen=True, slots=True)
class LiveServerCommand:
    """What was asked for.

    Attributes:
        host: The address to listen on.
        port: The TCP port, or 0 for any free one.
        certificate: Where to leave the certificate; None for a folder that goes with the server.
        scenario: What it says instead, and what goes wrong.
        limits: Whether anything ends by itself.
        connection_s: How long a connection lives, if other than the public service's.
        data_dir: Where it keeps what users teach; None takes the machine's usual place.
    """

    host: str
    port: int
    certificate: Path | None = None
    scenario: Path | None = None
    limits: bool = True
    connection_s: float | None = None
    data_dir: Path | None = None

    def run(self, say: Callable[[str], None]) -> None:
        """Serves until SIGINT or SIGTERM.

        Args:
            say: Prints a text.

        Raises:
            ScenarioError: the scenario says something impossible.
            OSError: the port is taken, the certificate can't be written, or the data folder made.
        """
        script = load_scenario(self.scenario) if self.scenario else None
        data_dir = self.data_dir or data_folder()
        private_folder(data_dir)
        with tempfile.TemporaryDirectory(prefix="vision-agent-") as folder:
            certificate = self.certificate or Path(folder, "live.pem")

            def announce(port: int, certificate_pem: str) -> None:
                certificate.write_text(certificate_pem)
                host = f"[{self.host}]" if ":" in self.host else self.host
                url = f"https://{host}:{port}"
                say(_GUIDE.format(url=url, certificate=certificate.absolute()))

            run_live_server(self.host, self.port, announce, script, self._limits(), data_dir)

    def _limits(self) -> Limits:
        limits = SERVICE if self.limits else UNLIMITED
        if self.connection_s is None:
            return limits
        # A tenth of it, as the service's minute is of its ten.
        return replace(limits, connection_s=self.connection_s, go_away_s=self.connection_s / 10)
