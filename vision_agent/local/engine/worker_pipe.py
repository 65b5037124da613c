"""What goes through the pipes between the engine and a worker process. Pure.

A message is ``op`` (1 byte), ``job`` (4 bytes), ``length`` (4 bytes), all big-endian, and the
payload. The child takes jobs on its stdin and answers on its stdout; it ends when its stdin reaches
EOF, so none outlives its parent, however that ends.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER = struct.Struct(">BII")
LONGEST_BYTES = 4 << 20
"""Of the payload of a message from the child; a longer one ends it."""

READY = 255
"""From the child: it takes jobs."""

REFUSAL = 254
"""From the child: in words why it takes no jobs."""


class WorkerMessage(NamedTuple):
    """One message in either direction."""

    op: int
    job: int
    payload: bytes


def packed(op: int, job: int, payload: bytes) -> bytes:
    """Returns a message as it stands in the pipe."""
    return HEADER.pack(op, job, len(payload)) + payload
