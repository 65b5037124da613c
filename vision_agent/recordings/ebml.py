"""The EBML elements (RFC 8794) of Matroska files. Pure."""

from __future__ import annotations

import struct

UNKNOWN_SIZE = b"\x01" + 7 * b"\xff"
"""The size of an element that is still being written, in 8 bytes."""


def size(value: int, length: int = 0) -> bytes:
    """The size of an element, in as few bytes as possible, or in `length` bytes."""
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
    """An unsigned integer element."""
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def floating(name: int, value: float) -> bytes:
    """A floating-point element of 64 bits."""
    return element(name, struct.pack(">d", value))


def text(name: int, value: str) -> bytes:
    """A UTF-8 text element."""
    return element(name, value.encode())


def void(length: int) -> bytes:
    """A Void element of this total length, at least 2 bytes."""
    if length < 9:
        return b"\xec" + size(length - 2, 1) + bytes(length - 2)
    return b"\xec" + size(length - 9, 8) + bytes(length - 9)
