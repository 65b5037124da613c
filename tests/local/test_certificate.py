"""A client that was given the certificate trusts the server, and no other client does."""

from __future__ import annotations

import contextlib
import inspect
import ssl

import pytest

from vision_agent.local import certificate

make_tls = inspect.unwrap(certificate.make_tls)
"""The uncached function, as users have it: each process of the tests keeps one certificate."""


def shake_hands(client: ssl.SSLObject, server: ssl.SSLObject, *pipes: ssl.MemoryBIO) -> None:
    from_client, to_client, from_server, to_server = pipes
    for _ in range(4):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())


def connected(trust: ssl.SSLContext, host: str) -> ssl.SSLObject:
    context, _ = SERVER
    pipes = [ssl.MemoryBIO() for _ in range(4)]
    from_client, to_client, from_server, to_server = pipes
    client = trust.wrap_bio(to_client, from_client, server_hostname=host)
    server = context.wrap_bio(to_server, from_server, server_side=True)
    shake_hands(client, server, *pipes)
    client.write(b"hello")
    to_server.write(from_client.read())
    assert server.read() == b"hello"
    return client


SERVER = make_tls()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_client_that_was_given_the_certificate_trusts_the_server(host: str) -> None:
    client = connected(ssl.create_default_context(cadata=SERVER[1]), host)
    seen = client.getpeercert()
    assert seen
    assert ssl.cert_time_to_seconds(str(seen["notBefore"])) < 1_000_000_000  # 2001
    assert ssl.cert_time_to_seconds(str(seen["notAfter"])) > 2_100_000_000  # 2036


@pytest.mark.parametrize("other", [None, make_tls()[1]])
def test_a_client_that_was_not_does_not(other: str | None) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        connected(ssl.create_default_context(cadata=other), "127.0.0.1")


def test_the_server_is_no_other_host() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        connected(ssl.create_default_context(cadata=SERVER[1]), "example.org")
