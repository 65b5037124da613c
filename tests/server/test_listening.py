import errno
import os
import socket

import pytest

from vision_agent.server.listening import CannotListen, listen, shown


def test_any_free_port_is_bound_and_said_with_its_host() -> None:
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        bound.listen()
        with pytest.raises(CannotListen) as refused:
            listen("127.0.0.1", port)
    assert refused.value.reason == (
        f"Can't listen on 127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}."
    )
    assert "--port" in refused.value.advice


@pytest.mark.parametrize("host", ["300.1.1.1", "192.0.2.1", "a" * 70])
def test_an_address_that_is_not_this_machines_is_refused_with_the_option(host: str) -> None:
    with pytest.raises(CannotListen, match="--host"):
        listen(host, 0)


def test_all_addresses_are_those_of_ipv4_as_well_whatever_the_machine_does_by_itself() -> None:
    with listen("::", 0) as bound:
        bound.listen()
        socket.create_connection(("127.0.0.1", bound.getsockname()[1])).close()


def test_a_machine_without_ipv6_is_told_so(monkeypatch) -> None:
    def refused(*args: int) -> None:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(CannotListen, match=r"\[::\]:0.*--host"):
        listen("::", 0)


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    assert (shown("::1", 80), shown("127.0.0.1", 80)) == ("[::1]:80", "127.0.0.1:80")
