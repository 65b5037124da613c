"""The file format for the things that one user has taught. Pure: converts bytes and things."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_agent.local.engine.sight import Taught, TaughtThing
from vision_agent.local.engine.sight.colour_bins import BIN_COUNT

VERSION = 1

MOST_THINGS = 40
"""Things of one user. Searching a frame for forty takes about half a second."""

MOST_VIEWS = 3
"""Views of one thing. A further view replaces the oldest."""

MOST_BYTES = 8_000_000
"""Size of a file. Forty things with three views of 300 points each take 6 MB."""

MOST_NAME = 40

WHOSE = ("my", "the", "a", "")

_MOST_POINTS = 1_000


class UnreadableFile(ValueError):
    """The bytes are not a valid file of this format; ``str()`` gives the reason."""


def encode(things: Sequence[TaughtThing]) -> bytes:
    """The file that holds these things."""
    document = {
        "version": VERSION,
        "things": [
            {
                "name": thing.name,
                "whose": thing.whose,
                "views": [_view_out(view) for view in thing.views],
            }
            for thing in things
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def decode(data: bytes) -> tuple[TaughtThing, ...]:
    """The things that a file holds.

    Raises:
        UnreadableFile: The file is damaged, or has another version.
    """
    if len(data) > MOST_BYTES:
        raise UnreadableFile(f"it has {len(data)} bytes, more than {MOST_BYTES}")
    try:
        document = json.loads(data)
        if document["version"] != VERSION:
            raise UnreadableFile(f"it is of version {document['version']!r}, not {VERSION}")
        things = tuple(
            TaughtThing(
                _name(thing["name"]),
                _whose(thing["whose"]),
                tuple(_view_in(view) for view in thing["views"][:MOST_VIEWS]),
            )
            for thing in document["things"][:MOST_THINGS]
        )
    except UnreadableFile:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableFile(f"it is damaged ({type(error).__name__})") from error
    if len({thing.name for thing in things}) < len(things):
        raise UnreadableFile("it has two things of the same name")
    return things


def _view_out(view: Taught) -> dict[str, Any]:
    return {
        "points": _bytes_out(view.points.astype("<f4").tobytes()),
        "descriptors": _bytes_out(view.descriptors.tobytes()),
        "size_px": list(view.size_px),
        "colours": [[at, round(share, 5)] for at, share in view.colours],
        "outline": list(view.outline),
        "tint": list(view.tint),
    }


def _view_in(view: Any) -> Taught:
    points = np.frombuffer(_bytes_in(view["points"]), "<f4").reshape(-1, 2)
    descriptors = np.frombuffer(_bytes_in(view["descriptors"]), np.uint8).reshape(-1, 128)
    if len(points) != len(descriptors) or len(points) > _MOST_POINTS:
        raise UnreadableFile("its points do not fit their descriptors")
    if not np.isfinite(points).all():
        raise UnreadableFile("a point is not finite")
    width_px, height_px = _numbers(view["size_px"], 2)
    a, b = _numbers(view["tint"], 2)
    outline = _numbers(view["outline"], 4) if view["outline"] else ()
    colours = tuple((_bin(at), _numbers([share], 1)[0]) for at, share in view["colours"][:64])
    return Taught(
        points.astype(np.float32),
        descriptors,
        (width_px, height_px),
        colours,
        outline,
        (a, b),
    )


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise UnreadableFile("a number is missing or not finite")
    return numbers


def _bin(value: Any) -> int:
    at = int(value)
    if not 0 <= at < BIN_COUNT:
        raise UnreadableFile("a colour is out of range")
    return at


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_NAME:
        raise UnreadableFile("a name is not a text of the allowed length")
    return value


def _whose(value: Any) -> str:
    if value not in WHOSE:
        raise UnreadableFile("an article is unknown")
    return str(value)


def _bytes_out(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes_in(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
