"""Observations about a frame, as plain words and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from vision_agent.local.engine.sight.camera_frame import Box

NEEDS = frozenset(
    {"colour", "quality", "faces", "text", "codes", "changes"}
    | {"count", "movement", "things", "known"}
)
"""Everything that a look can be asked for."""


@dataclass(frozen=True, slots=True)
class Colour:
    """The colours of a frame.

    Attributes:
        main: The colour of the thing in the middle; of the whole frame where nothing stands out
            there. One of the eleven basic names, with "light " or "dark " where it helps.
        others: ``(where, colour)`` of the other things that stand out, largest first.
        background: The colour most of the frame's border has.
        stands_out: Whether there is a thing in the middle that ``main`` speaks of.
    """

    main: str
    others: tuple[tuple[str, str], ...] = ()
    background: str = ""
    stands_out: bool = True


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether the frame is good enough to see anything in it.

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
    box: Box | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of printed text.

    Attributes:
        text: The line, as read.
        score: How sure the reader is, 0 to 1.
        where: Where the line's centre is.
        box: Its place.
    """

    text: str
    score: float
    where: str
    box: Box | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was found and decoded.

    Attributes:
        kind: "QR code" or "barcode".
        text: What it holds.
        where: Where its centre is.
        box: Its place.
    """

    kind: str
    text: str
    where: str
    box: Box | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """How the newest frame differs from an earlier one.

    Attributes:
        changed: Whether anything did.
        where: The places that changed, without repetition.
        what: In words, for example "something dark blue appeared on the left".
        since_s: Seconds between the two frames; 0 if there is no earlier one.
    """

    changed: bool
    where: tuple[str, ...]
    what: str
    since_s: float


@dataclass(frozen=True, slots=True)
class Count:
    """How many things are alike.

    Attributes:
        sure: Those that are wholly in view.
        perhaps: Those that seem to be there besides, cut off or partly hidden.
        colour: The colour that most of them have.
        others: Things that stand out and are not like these.
        boxes: Where the sure ones are, from left to right.
        busy: Too much stands out to tell things apart; then nothing is counted.
    """

    sure: int
    perhaps: int
    colour: str
    others: int
    boxes: tuple[Box, ...] = ()
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved between the newest frame and the ones just before it.

    Attributes:
        moving: Whether anything did.
        camera: Whether the whole frame did: then it is the camera.
        where: The places, without repetition, where something did.
        what: The colour of what moved most; empty when unknown.
        way: Where to, as "to the left" or "up"; empty when that can not be told.
        over_s: Seconds that were compared; 0 if there is no earlier frame.
        just_before: It moved a moment ago, and is still now.
        lasting: It moved between more than two frames, or was found again elsewhere: sure enough
            to be told unasked.
    """

    moving: bool
    camera: bool
    where: tuple[str, ...]
    what: str
    way: str
    over_s: float
    just_before: bool = False
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A thing that stands out, or an area of a colour.

    Attributes:
        colour: Its colour's name.
        box: Its place.
    """

    colour: str
    box: Box


@dataclass(frozen=True, slots=True)
class Known:
    """A thing that somebody taught, found again.

    Attributes:
        name: What it is called.
        sure: Whether its details were found, or only its colours and shape.
        box: Its place.
    """

    name: str
    sure: bool
    box: Box


@dataclass(frozen=True, slots=True)
class Observations:
    """The results of a look; a field is None if it was not asked for."""

    colour: Colour | None = None
    quality: Quality | None = None
    faces: tuple[Face, ...] | None = None
    text: tuple[TextLine, ...] | None = None
    codes: tuple[Code, ...] | None = None
    changes: Changes | None = None
    count: Count | None = None
    movement: Movement | None = None
    things: tuple[Spot, ...] | None = None
    known: tuple[Known, ...] | None = None

    def and_also(self, later: Observations) -> Observations:
        """These results and those of a later look."""
        found = {one.name: getattr(later, one.name) for one in fields(later)}
        return replace(self, **{name: what for name, what in found.items() if what is not None})
