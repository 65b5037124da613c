"""The lines that a ready server prints: its addresses, its agents, and a QR code for phones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vision_agent.addresses import is_loopback
from vision_agent.server.ingress.exposure import ADVICE, exposure
from vision_agent.server.qr_code import qr_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """The lines for the person who started the server.

    Attributes:
        bound_to: The address on which it listens.
        port: The port.
        hosts: The hosts under which others reach it, as they stand in a URL; the first one is shown
            as a QR code.
        details: Sentences about the agents, and about where media is received.
        https: Whether it speaks HTTPS.
        authority: The certificate of the authority that signed the server's, if it was made here.
        token: The access token; None if there is none.
        show_token: Whether the QR code may contain it: on a terminal, not in a log.
        paid: Whether calls use a model service with the operator's key.
    """

    bound_to: str
    port: int
    hosts: Sequence[str]
    details: Sequence[str]
    https: bool = False
    authority: Path | None = None
    token: str | None = None
    show_token: bool = False
    paid: bool = False

    def lines(self) -> Iterator[str]:
        """The lines, in order."""
        yield f"vision-agent: {self._url(_shown_host(self.bound_to))}"
        yield from self.details
        if not is_loopback(self.bound_to):
            if self.hosts:
                yield "For others: " + ", ".join(self._url(host) for host in self.hosts)
            yield from self._for_phones() if self.https else _NO_CAMERA
        open_to_all = exposure(self.bound_to, has_token=self.token is not None, paid=self.paid)
        if open_to_all:
            yield f"Warning: {open_to_all} {ADVICE}"
        yield "Press Ctrl-C to stop."

    def _for_phones(self) -> Iterator[str]:
        if not self.hosts:
            yield "This machine is in no network: a phone can't reach it."
            return
        address = self._url(self.hosts[0])
        if self.token is not None and self.show_token:
            address += f"/#token={quote(self.token, safe='')}"
        yield "On a phone in the same network, scan:"
        yield from qr_code(address)
        if self.authority is not None:
            yield (
                "The phone warns that it does not know the certificate. Choose Advanced, then "
                "Proceed (iPhone: Show Details, then visit this website), and allow camera and "
                f"microphone. It warns no more once {self.authority} is installed on it."
            )

    def _url(self, host: str) -> str:
        return f"{'https' if self.https else 'http'}://{host}:{self.port}"


_NO_CAMERA = (
    "Browsers give a camera to https:// pages and to localhost only: for callers elsewhere, start "
    "with --https.",
)


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host
