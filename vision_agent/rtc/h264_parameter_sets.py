"""Keeps the parameter sets of an H.264 stream for key frames that come without them. No I/O.

A sender may state them in its offer alone (``sprop-parameter-sets``, RFC 6184 8.1), or once, with
its first key frame or before it. Whoever begins at a later key frame needs them all the same: the
decoder after a loss, and a recording.
"""

from __future__ import annotations

import base64
import binascii

MAX_BYTES = 4_000
"""The most for all parameter sets of a stream; a camera's take some fifty bytes."""

_START = b"\0\0\0\1"
_SPS, _PPS = 7, 8
_SLICES = range(1, 6)


def stated_parameter_sets(text: str) -> bytes:
    """The parameter sets that an offer states, in Annex B's form; empty if they can't be read.

    Args:
        text: The value of ``sprop-parameter-sets``: NAL units in base64, separated by commas.
    """
    try:
        units = [base64.b64decode(unit, validate=True) for unit in text.split(",")]
    except (binascii.Error, ValueError):
        return b""
    found = b"".join(_START + unit for unit in units if unit and unit[0] & 0x1F in (_SPS, _PPS))
    return found if len(found) <= MAX_BYTES else b""


class ParameterSets:
    """The parameter sets of one stream, the newest of each type."""

    def __init__(self) -> None:
        self._stated = b""
        self._kept: dict[int, bytes] = {_SPS: b"", _PPS: b""}

    def state(self, sets: bytes) -> None:
        """Takes an offer's parameter sets (Annex B), unless the previous offer stated the same."""
        if sets != self._stated:
            self._stated = sets
            self._keep(_leading(sets))

    def completed(self, data: bytes, key: bool) -> bytes:
        """A frame (Annex B); a key frame gets the parameter sets that it lacks."""
        found = _leading(data)
        if found:
            self._keep(found)
        if not key:
            return data
        return b"".join(kept for kind, kept in self._kept.items() if kind not in found) + data

    def _keep(self, found: dict[int, bytes]) -> None:
        kept = self._kept | found
        if sum(map(len, kept.values())) <= MAX_BYTES:
            self._kept = kept


def _leading(data: bytes) -> dict[int, bytes]:
    """The parameter sets before a frame's first slice, by their type."""
    found: dict[int, bytes] = {}
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 0x1F
        if kind in _SLICES:
            break
        end = data.find(b"\0\0\1", at + 3)
        if kind in (_SPS, _PPS):
            unit = data[at + 3 : end if end >= 0 else len(data)].rstrip(b"\0")
            found[kind] = found.get(kind, b"") + _START + unit
        at = end
    return found
