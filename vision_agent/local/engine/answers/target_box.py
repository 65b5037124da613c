"""Finds the box of "the red thing" or "my mug" in the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.answers.asked_kind import AskedKind, asked_kind
from vision_agent.local.engine.answers.english import with_article
from vision_agent.local.engine.answers.kind_answers import fitting
from vision_agent.local.engine.answers.phrasing import unsure
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.phrase_rules import COLOURS
from vision_agent.local.engine.language.vocabulary import singular
from vision_agent.local.engine.sight import Box, Observations, Sight, TaughtThing

_ARTICLES = ("the", "a", "an", "my", "our", "your", "any", "this", "that")
TEXT_WORDS = frozenset("text writing words word sign label letters".split())  # noqa: SIM905
_CODE = frozenset("qr code barcode bar".split())  # noqa: SIM905
_FACE = frozenset("face faces head me".split())  # noqa: SIM905
_NO_NOUN = frozenset(
    """thing things object objects one ones it something anything here there anywhere now in on at
    picture image view around else""".split()  # noqa: SIM905
)
_THING = frozenset("thing things object one ones it something".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Target:
    """The thing that a few words mean.

    Attributes:
        kind: "text", "code", "face", "colour", "known", "named", "thing", or "unknown".
        name: The words for it in an answer: "the text", "your mug", "something red".
        colour: The colour, for the kind "colour".
        taught: The taught thing, for the kind "known".
        asked: The kind of thing, for the kind "named".
        caveat: What the engine can't tell, for example whether the red thing is a bottle.
    """

    kind: str
    name: str
    colour: str = ""
    taught: TaughtThing | None = None
    asked: AskedKind | None = None
    caveat: str = ""

    @property
    def needs(self) -> frozenset[str]:
        """The observations that locating it needs."""
        looked_for = {
            "text": {"all_text"},
            "code": {"codes"},
            "face": {"faces"},
            "colour": {"things"},
            "thing": {"things"},
            "known": {"known"},
            "named": {"named", "shown", "colour"},
        }
        return frozenset(looked_for.get(self.kind, set()) | {"quality"})


def target_of(text: str, taught: Sequence[TaughtThing], *, by_colour: bool = False) -> Target:
    """What a few words mean in a frame.

    Args:
        text: "the red thing", "my mug".
        taught: The things that the user has taught; their names take precedence.
        by_colour: Look for the colour, whatever the thing is.
    """
    words = [word for word in normalise(text).split() if word not in _ARTICLES]
    rest = " ".join(singular(word) for word in words)
    for thing in taught:
        if rest == thing.name:
            return Target("known", thing.called, taught=thing)
    said = frozenset(words)
    if said and said <= TEXT_WORDS:
        return Target("text", "the text")
    if said and said <= _CODE:
        return Target("code", "a QR code or a barcode")
    if said and said <= _FACE:
        return Target("face", "a face")
    if said and said <= _THING:
        return Target("thing", "something that stands out")
    if not by_colour and (asked := asked_kind(text)):
        return Target("named", with_article(asked.full), asked=asked)
    colour = next((word for word in words if word in COLOURS), "")
    if colour:
        noun = " ".join(word for word in words if word != colour and word not in _NO_NOUN)
        caveat = unsure(noun) if noun else ""
        return Target("colour", f"something {colour}", colour=colour, caveat=caveat)
    return Target("unknown", rest or text)


def boxes_of(target: Target, seen: Observations) -> tuple[Box, ...]:
    """The boxes of the target in the observations, the likeliest first."""
    if target.kind == "known" and target.taught is not None:
        found = [known for known in seen.known or () if known.name == target.taught.name]
        return tuple(known.box for known in found)
    if target.asked is not None:
        return tuple(thing.box for thing in fitting(target.asked, seen) if thing.placed)
    if target.kind == "text":
        lines = [line.box for line in seen.text or () if line.box is not None]
        return (around(lines),) if lines else ()
    if target.kind in ("colour", "thing"):
        return tuple(spot.box for spot in seen.things or ())
    found_boxes = [item.box for item in (seen.codes or ()) + (seen.faces or ())]
    return tuple(box for box in found_boxes if box is not None)


async def locate(
    sight: Sight, frames: Sequence[SeenFrame], target: Target
) -> tuple[Observations, tuple[Box, ...]]:
    """Locates a target in the newest frame; returns the observations and its boxes.

    Raises:
        UnreadableFrame: There is no frame, or the newest is broken.
    """
    taught = (target.taught,) if target.taught else ()
    seen = await sight.observe(frames, target.needs, colour=target.colour, taught=taught)
    return seen, boxes_of(target, seen)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that encloses all the boxes."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right = max(box.x + box.width for box in boxes)
    bottom = max(box.y + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


def box_2d(box: Box) -> list[int]:
    """The box as `[ymin, xmin, ymax, xmax]`, 0 to 1000, Gemini's format for boxes."""
    edges = (box.y, box.x, box.y + box.height, box.x + box.width)
    return [min(1000, max(0, round(1000 * edge))) for edge in edges]
