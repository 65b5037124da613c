"""The socket a server listens on, and why there can be none in words."""

from __future__ import annotations

import errno
import os
import socket

BACKLOG = 256
"""Connections that wait to be accepted; asyncio accepts as many at once, before any is refused."""

_OF_THE_HOST = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class CannotListen(RuntimeError):
    """An address can't be listened on; `str(error)` says why and what to choose instead.

    Attributes:
        reason: Why, as a sentence.
        advice: Which option to change.
    """

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason} {advice}")
        self.reason, self.advice = reason, advice


def listen(
    host: str, port: int, host_option: str = "--host", port_option: str = "--port"
) -> socket.socket:
    """Bind a TCP socket, which the caller closes.

    Args:
        host: A name or an address of this machine.
        port: The port; 0 takes any free one.
        host_option: What sets the host, for the advice.
        port_option: What sets the port.

    Raises:
        CannotListen: The port is taken or not allowed, or the host is not one of this machine's.
    """
    try:
        return _bound(host, port)
    except (OSError, UnicodeError) as error:
        raise CannotListen(
            f"Can't listen on {shown(host, port)}: {_why(error)}.",
            _advice(error, host_option, port_option),
        ) from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming the protocol makes asyncio set TCP_NODELAY. Otherwise every request after the first on
    # a connection waits 40 ms for an acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Systems differ in whether `::` accepts IPv4, and with it 127.0.0.1.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def shown(host: str, port: int) -> str:
    """`host:port` as in a URL, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError) or error.errno is None:
        return "this machine knows no host of that name"
    return os.strerror(error.errno)


def _advice(error: OSError | UnicodeError, host_option: str, port_option: str) -> str:
    if isinstance(error, socket.gaierror | UnicodeError) or error.errno in _OF_THE_HOST:
        return f"Choose an address of this machine with {host_option} (0.0.0.0 takes all of them)."
    return f"Choose another with {port_option} (0 picks a free one)."
