"""Why a server can't listen where it was told to, and what to choose instead."""

from __future__ import annotations

import errno
import socket


def why_not(where: str, error: OSError | UnicodeError) -> str:
    """The sentence that says why.

    Args:
        where: The address, `host:port`.
        error: What `bind` raised.
    """
    reason = getattr(error, "strerror", None) or "this is no name of a host"
    return f"Can't listen on {where}: {reason}."


def what_else(error: OSError | UnicodeError) -> str:
    """What to choose another of: the port, or the host where it is none of this machine's."""
    of_the_host = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    if isinstance(error, socket.gaierror | UnicodeError) or error.errno in of_the_host:
        return "Choose an address of this machine with --host (0.0.0.0 takes all of them)."
    return "Choose another with --port (0 picks a free one)."
