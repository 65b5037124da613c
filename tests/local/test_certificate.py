"""The certificate is believed whatever the clock says, as its server hands it over itself."""

from __future__ import annotations

import contextlib
import datetime
import ssl

import pytest

from vision_agent.local.certificate import make_certificate


def shake_hands(client: ssl.SSLObject, server: ssl.SSLObject, *pipes: ssl.MemoryBIO) -> None:
    from_client, to_client, from_server, to_server = pipes
    for _ in range(4):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())


@pytest.mark.parametrize("days", [-3000, -366, -2, 0, 2, 366, 3000])
def test_a_clock_that_is_set_back_or_forward_after_the_start_changes_nothing(days: int) -> None:
    # The handshake is made now: it is the start that was at another time.
    made_at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    certificate = make_certificate(made_at)
    trust = ssl.create_default_context(cadata=certificate.certificate_pem)
    pipes = [ssl.MemoryBIO() for _ in range(4)]
    from_client, to_client, from_server, to_server = pipes
    client = trust.wrap_bio(to_client, from_client, server_hostname="127.0.0.1")
    context = certificate.server_context()
    server = context.wrap_bio(to_server, from_server, server_side=True)
    shake_hands(client, server, *pipes)
    assert client.getpeercert()
    client.write(b"hello")
    to_server.write(from_client.read())
    assert server.read() == b"hello"
