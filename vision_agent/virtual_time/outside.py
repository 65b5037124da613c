"""Whether a file descriptor leads out of the process."""

from __future__ import annotations

import socket
from collections.abc import Iterable


def lead_outside(descriptors: Iterable[int]) -> bool:
    """Whether another process may make one of the descriptors ready.

    Pipes lead outside, and so do TCP connections whose other end is not among `descriptors`.
    Listening sockets and UDP sockets do not: the media's peers are in the process too.
    """
    here, there = set(), set()
    for descriptor in descriptors:
        try:
            one = socket.socket(fileno=descriptor)
        except OSError:
            return True  # a pipe
        try:
            if one.type == socket.SOCK_DGRAM:
                continue
            if one.family not in (socket.AF_INET, socket.AF_INET6):
                return True  # the pipe of a child process
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                continue
            here.add(one.getsockname())
            there.add(one.getpeername())
        except OSError:
            return True  # the socket is being connected
        finally:
            one.detach()
    return not there <= here
