"""What can be told about a picture, as plain words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

NEEDS = frozenset({"colour", "quality", "faces", "text", "codes", "changes"})
"""Everything that can be asked for."""


@dataclass(frozen=True, slots=True)
class Colour:
    """The colours of a picture.

    Attributes:
        main: The colour of the thing in the middle; of the whole picture where nothing stands out
            there. One of the eleven basic names, with "light " or "dark " where it helps.
        others: ``(where, colour)`` of the other things that stand out, largest first.
        background: The colour most of the picture's border has.
        stands_out: Whether there is a thing in the middle that ``main`` speaks of.
    """

    main: str
    others: tuple[tuple[str, str], ...] = ()
    background: str = ""
    stands_out: bool = True


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether the picture is good enough to see anything in it.

    Attributes:
        too_dark: Hardly any light.
        too_bright: Washed out by light.
        blurred: No sharp edge anywhere although there are things to see.
        empty: One even area and nothing else: a wall, or a covered lens.
    """

    too_dark: bool = False
    too_bright: bool = False
    blurred: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """A face that looks at the camera."""

    where: str


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of printed text.

    Attributes:
        text: The line, as read.
        score: How sure the reader is, 0 to 1.
        where: Where the line's centre is.
    """

    text: str
    score: float
    where: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was found and decoded.

    Attributes:
        kind: "QR code" or "barcode".
        text: What it holds.
        where: Where its centre is.
    """

    kind: str
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Changes:
    """How the newest picture differs from an earlier one.

    Attributes:
        changed: Whether anything did.
        where: The places that changed, without repetition.
        what: In words, for example "something dark blue appeared on the left".
        since_s: Seconds between the two pictures; 0 if there is no earlier one.
    """

    changed: bool
    where: tuple[str, ...]
    what: str
    since_s: float


@dataclass(frozen=True, slots=True)
class Observations:
    """What was asked for; a field is None when it was not."""

    colour: Colour | None = None
    quality: Quality | None = None
    faces: tuple[Face, ...] | None = None
    text: tuple[TextLine, ...] | None = None
    codes: tuple[Code, ...] | None = None
    changes: Changes | None = None
