"""Observations about a frame: plain words and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from vision_agent.local.engine.sight.camera_frame import Box

NEEDS = frozenset(
    {"colour", "quality", "faces", "text", "all_text", "codes", "changes"}
    | {"count", "movement", "things", "known", "named", "shown"}
)
"""What a look can be asked for. "text" is as much as an answer reads out, "all_text" is all of
it."""


@dataclass(frozen=True, slots=True)
class Colour:
    """The colours of a frame.

    Attributes:
        main: The colour of the thing in the middle, or of the whole frame if nothing stands out
            there. One of the eleven basic names, with "light " or "dark " if it is either.
        others: ``(where, colour)`` of the other things that stand out, largest first.
        background: The most common colour of the frame's border.
        stands_out: Whether ``main`` is the colour of a thing in the middle.
        is_clear: Whether that thing fills the middle, and mostly has this colour.
        clothes: The colour of the clothes below the only face; empty without one, or if they have
            several.
        top: The colour of the frame's upper edge, where a sky or a ceiling is; empty if several.
        bottom: The same of the lower edge.
    """

    main: str
    others: tuple[tuple[str, str], ...] = ()
    background: str = ""
    stands_out: bool = True
    is_clear: bool = True
    clothes: str = ""
    top: str = ""
    bottom: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether the frame is good enough to be analysed.

    Attributes:
        too_dark: Hardly any light.
        too_bright: Washed out by light.
        blurred: No edge is sharp although there are things to see.
        empty: One even area and nothing else, such as a wall or a covered lens.
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
        where: The place of its centre, in words.
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
        text: Its content.
        where: The place of its centre, in words.
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
        changed: Whether anything differs.
        where: The places that changed, without repetition.
        what: The changes in words, for example "something dark blue appeared on the left".
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
        sure: How many are completely in view.
        perhaps: How many more seem to be there, cut off or partly hidden.
        colour: The colour that most of them have.
        others: How many other things stand out that are not like these.
        boxes: The places of the ``sure`` things, from left to right.
        busy: Too much stands out to separate things, so nothing is counted.
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
        moving: Whether anything moved.
        camera: Whether the whole frame moved, which means that the camera did.
        where: The places at which something moved, without repetition.
        what: The colour of the thing that moved most; empty if unknown.
        way: The direction, such as "to the left" or "up"; empty if unknown.
        over_s: Seconds between the compared frames; 0 if there is no earlier frame.
        just_before: The thing moved a moment ago and is still now.
        lasting: The thing moved between more than two frames, or was found again elsewhere. Only
            such a movement is sure enough to be mentioned unasked.
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
        name: Its name.
        sure: Whether its details were found; otherwise only its colours and outline match.
        box: Its place.
    """

    name: str
    sure: bool
    box: Box


SURE, LIKELY, PERHAPS, UNKNOWN = "sure", "likely", "perhaps", "unknown"


@dataclass(frozen=True, slots=True)
class Named:
    """A thing with a name.

    Attributes:
        name: An everyday word in the singular, such as "bottle"; empty if it is ``UNKNOWN``.
        box: Its place.
        score: 0 to 1; of the detector or of the classifier, so two scores compare only roughly.
        certainty: ``SURE`` ("a bottle"), ``LIKELY`` ("it looks like a bottle"), ``PERHAPS``
            ("perhaps a bottle") or ``UNKNOWN``.
        colour: Its colour, if "colour" was asked for too; empty for a person.
        finer: A more exact word that is as sure, such as "wine bottle"; empty if there is none.
        placed: Whether the box is the thing's own. The classifier names what a crop shows, and
            where in it that is, it does not know.
    """

    name: str
    box: Box
    score: float
    certainty: str
    colour: str = ""
    finer: str = ""
    placed: bool = True


@dataclass(frozen=True, slots=True)
class Observations:
    """The results of a look; a field is None if it was not asked for.

    ``named`` holds every thing that has a name, from left to right, ``shown`` the one that the
    frame is about: what is held up, fills the middle or lies in the box that was asked about.
    A ``shown`` without a name is a thing that nobody knows.
    ``off`` says in one sentence each which of the senses that were asked for are missing.
    """

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
    named: tuple[Named, ...] | None = None
    shown: Named | None = None
    off: tuple[str, ...] = ()

    def and_also(self, later: Observations) -> Observations:
        """These results, completed by those of a later look."""
        found = {one.name: getattr(later, one.name) for one in fields(later)}
        found["off"] = (*self.off, *(one for one in later.off if one not in self.off))
        return replace(self, **{name: what for name, what in found.items() if what is not None})
