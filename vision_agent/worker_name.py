"""The name of one server among several behind one address, with which its ids begin.

An id such as `w3f0.6f2c…` says which server has the call, so that a load balancer can send every
later request about it there.
"""

from __future__ import annotations

_SEPARATOR = "."
"""Stands in no id of ours: they are hexadecimal, UUIDs, or URL-safe Base64."""

PATTERN = r"^[a-z0-9]{0,32}$"


def named(worker: str, unique: str) -> str:
    """An id that begins with the worker's name; the unique part alone if it has none."""
    return f"{worker}{_SEPARATOR}{unique}" if worker else unique


def worker_of(id: str) -> str | None:
    """The name that an id begins with; None if it begins with none."""
    worker, separator, _ = id.partition(_SEPARATOR)
    return worker if separator and worker else None
