"""Which certificate the server speaks TLS with, and under which hosts it is reached."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_agent.addresses import parse_address
from vision_agent.server.certificate import Certificate, CertificateFile, IssuedCertificate
from vision_agent.server.lan import reachable_hosts
from vision_agent.server.own_authority import OwnAuthority
from vision_agent.settings import Settings


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server with HTTPS uses and says.

    Attributes:
        certificate: The certificate.
        hosts: The hosts under which others reach the server, as they stand in a URL.
        authority: The certificate of the authority made here; None for a given certificate.
        warning: What is wrong with a given certificate; None if nothing is.
    """

    certificate: Certificate
    hosts: Sequence[str]
    authority: Path | None = None
    warning: str | None = None


def chosen_tls(settings: Settings) -> Tls | None:
    """The TLS that the options ask for; None for plain HTTP.

    Raises:
        CertificateError: The certificate can't be used, or none can be made.
    """
    hosts = reachable_hosts(settings.host)
    if settings.cert is not None:
        given = CertificateFile(settings.cert, settings.key)
        name = given.name()
        expired = given.expired(datetime.datetime.now(datetime.UTC))
        return Tls(
            given,
            hosts if name is None else [name, *hosts],
            warning=f"{settings.cert} is not valid today: browsers refuse it." if expired else None,
        )
    if not settings.https:
        return None
    authority = OwnAuthority.kept_in(settings.data_dir)
    names = _names(hosts, [*settings.allowed_hosts, *settings.public_ip])
    return Tls(IssuedCertificate(authority.issue_into, names), hosts, authority.public)


def _names(hosts: Sequence[str], given: Sequence[str]) -> Iterator[str]:
    """The names and addresses of this machine, for its certificate."""
    yield from ("localhost", "127.0.0.1", "::1")
    machine = socket.gethostname()
    yield from {machine, f"{machine.partition('.')[0]}.local"}
    yield from (host.strip("[]") for host in hosts)
    for name in given:
        if name not in ("*", "auto") and "stun:" not in name:
            address = parse_address(name)  # it may have a port
            yield name if address is None else str(address)
