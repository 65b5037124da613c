"""EBML elements (RFC 8794), of which a Matroska file consists. Pure."""

from __future__ import annotations

import struct

UNKNOWN_SIZE = b"\x01" + 7 * b"\xff"
"""The size of an element that is still being written, in 8 bytes."""


def size(value: int, length: int = 0) -> bytes:
    """A size of an element, in as few bytes as it takes, or in `length` bytes."""
    if not length:
        length = next(n for n in range(1, 9) if value < (1 << (7 * n)) - 1)
    return (value | 1 << (7 * length)).to_bytes(length)


def element(name: int, *content: bytes) -> bytes:
    """An element.

    Args:
        name: Its id, with the marker bits.
        content: Its content, in parts.
    """
    length = sum(map(len, content))
    return b"".join((name.to_bytes((name.bit_length() + 7) // 8), size(length), *content))


def unsigned(name: int, value: int) -> bytes:
    """An element that is a whole number, 0 or more."""
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def floating(name: int, value: float) -> bytes:
    """An element that is a number of 64 bits."""
    return element(name, struct.pack(">d", value))


def text(name: int, value: str) -> bytes:
    """An element that is a text."""
    return element(name, value.encode())


def void(length: int) -> bytes:
    """An element of this length that says nothing; of 2 bytes at least."""
    if length < 9:
        return b"\xec" + size(length - 2, 1) + bytes(length - 2)
    return b"\xec" + size(length - 9, 8) + bytes(length - 9)
