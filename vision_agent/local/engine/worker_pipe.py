"""The message format of the pipes between the engine and a worker process. Pure.

A message is ``op`` (1 byte), ``job`` (4 bytes), ``length`` (4 bytes), all big-endian, and the
payload. The child takes jobs on its stdin and answers on its stdout. It ends when its stdin reaches
EOF, so no child outlives its parent, however the parent ends.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER = struct.Struct(">BII")
LONGEST_BYTES = 4 << 20
"""Longest payload of a message from the child. A child that sends a longer one is ended."""

READY = 255
"""From the child: it takes jobs."""

REFUSAL = 254
"""From the child: it takes no jobs; the payload is the reason in words."""


class WorkerMessage(NamedTuple):
    """One message in either direction."""

    op: int
    job: int
    payload: bytes


def packed(op: int, job: int, payload: bytes) -> bytes:
    """Returns a message in the pipe's format."""
    return HEADER.pack(op, job, len(payload)) + payload
