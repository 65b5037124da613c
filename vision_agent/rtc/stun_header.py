"""Reads who a STUN message is for, without parsing it completely (RFC 8489). No I/O."""

from __future__ import annotations

from typing import Literal

LAST_STUN_BYTE = 3
"""The first byte of a STUN message is 0 to 3; of DTLS, SRTP and SRTCP it is larger (RFC 7983)."""

HEADER_BYTES = 20
MAX_ATTRIBUTES = 16
"""How many attributes are read; a check has six to nine, its user name among the first."""

_USERNAME = 0x0006
_CLASSES: dict[int, Literal["request", "indication", "response"]] = {
    0x0000: "request",
    0x0010: "indication",
    0x0100: "response",
    0x0110: "response",
}


def class_of(message: bytes) -> Literal["request", "indication", "response"] | None:
    """The message's class; errors count as responses. None: it is too short for STUN."""
    if len(message) < HEADER_BYTES:
        return None
    return _CLASSES[(message[0] << 8 | message[1]) & 0x0110]


def transaction_of(message: bytes) -> bytes:
    """The transaction id (12 bytes) of a message that has a class."""
    return message[8:HEADER_BYTES]


def receiver_of(request: bytes) -> bytes | None:
    """The receiver's user name fragment in the USERNAME of a check (RFC 8445 7.2.2); None: none."""
    at = HEADER_BYTES
    for _ in range(MAX_ATTRIBUTES):
        if at + 4 > len(request):
            return None
        kind, length = request[at] << 8 | request[at + 1], request[at + 2] << 8 | request[at + 3]
        at += 4
        if kind == _USERNAME:
            return request[at : at + length].partition(b":")[0]
        at += length + 3 & ~3
    return None
