"""Keeps HTTP clients from loading the web's certificate authorities, which takes 15 ms of CPU.

Tests reach no public server, and ADK makes two clients for each agent. A test's own authority is
read as usual.
"""

from __future__ import annotations

import os
import ssl
from types import FunctionType
from typing import Any

import certifi


def leave_out_the_webs() -> None:
    """Load no public authorities from now on, in this process and its forks."""
    context = ssl.SSLContext
    read, read_default = context.load_verify_locations, context.set_default_verify_paths
    if isinstance(read, FunctionType):
        return
    systems = os.environ.get("SSL_CERT_FILE")

    def load_verify_locations(self: ssl.SSLContext, cafile: Any = None, *rest: Any) -> None:
        if cafile is None or cafile not in (systems, certifi.where()):
            read(self, cafile, *rest)

    def set_default_verify_paths(self: ssl.SSLContext) -> None:
        if os.environ.get("SSL_CERT_FILE") != systems:
            read_default(self)

    context.load_verify_locations = load_verify_locations
    context.set_default_verify_paths = set_default_verify_paths
