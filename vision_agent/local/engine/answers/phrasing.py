"""Observations as spoken sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vision_agent.local.engine.answers import named_things
from vision_agent.local.engine.answers.english import count, listed, with_article
from vision_agent.local.engine.sight import (
    Box,
    Code,
    Colour,
    Count,
    Face,
    Known,
    Movement,
    Observations,
    TaughtThing,
    TextLine,
)
from vision_agent.local.engine.sight.places import spot

MOST_PLACES = 3

MOST_DETAILS = 2
"""Sentences after the first about a frame; a caller who wants more can ask."""

MAX_READ_CHARS = 400
"""Longer text is cut: a whole page is too long to listen to."""

_CLOTHES = frozenset(
    """shirt shirts t-shirt tshirt sweater jumper pullover blouse jacket coat hoodie top dress
    jersey cardigan suit uniform vest clothes clothing tee""".split()  # noqa: SIM905
)
_ABOVE = frozenset({"sky", "ceiling"})
_BELOW = frozenset("floor ground grass lawn street road carpet sand snow pavement".split())  # noqa: SIM905
_DETERMINERS = frozenset("the this that my our your his her their its a an".split())  # noqa: SIM905

_PLAIN = frozenset(
    """the this that it thing object one ones these those things objects them of here there a my
    something""".split()  # noqa: SIM905
)


def unusable(seen: Observations) -> str | None:
    """The reason why the frame can't be described; None if it can."""
    quality = seen.quality
    if quality is None:
        return None
    if quality.too_dark:
        return "It is too dark for me to see anything. Some light would help."
    if quality.too_bright:
        return "It is too bright: the picture is washed out."
    return None


def scene(seen: Observations, taught: Sequence[TaughtThing] = ()) -> list[str]:
    """The first sentences about a frame: known or named things, or else colours and places."""
    if seen.quality and seen.quality.empty:
        area = f" It is {seen.colour.main}." if seen.colour else ""
        return [f"I see one even area and nothing that stands out.{area}"]
    said = [_colours(seen.colour)] if seen.colour else []
    if seen.known and not seen.known[0].sure:
        said = [recognised(seen.known, taught)]
    elif names := _names(seen, taught):
        said = [f"I see {names}."]
    if seen.quality and seen.quality.blurred:
        said.append("The picture is blurred.")
    return said


def _names(seen: Observations, taught: Sequence[TaughtThing]) -> str:
    """The taught things and the others that have a name, each with its place."""
    known = [thing.box for thing in seen.known or ()]
    said = [_places_of(seen.known, taught)] if seen.known else []
    rest = named_things.others(named_things.prominent(seen), known)
    more = named_things.perhaps_more(seen)
    return listed([*said, *filter(None, [named_things.inventory(rest, more)])])


def besides(unnamed: int) -> list[str]:
    """How many things without a name stand out."""
    verb = "stands" if unnamed == 1 else "stand"
    return [f"Besides, {count(unnamed, 'other thing')} {verb} out."] if unnamed else []


def alike_besides(seen: Observations) -> list[str]:
    """How many things are alike, if they are more than the known things already named.

    A thing with the background's colour is more likely a part of it, such as the folds of a cloth.
    """
    told = max(1, len(seen.known or ()))
    if seen.count and seen.colour and seen.count.colour == seen.colour.background:
        return []
    return [f"There are {alike(seen.count)}."] if seen.count and seen.count.sure > told else []


def details(seen: Observations) -> list[str]:
    """The other observations: movement, faces, codes and text."""
    said = []
    if seen.movement and seen.movement.lasting and not seen.movement.just_before:
        said.append(moving(seen.movement))
    if seen.codes:
        said.append(codes(seen.codes))
    if seen.text:
        said.append(f"I can read: {lines(seen.text)}.")
    return said


def in_view(found: Sequence[Known], taught: Sequence[TaughtThing]) -> str:
    """The taught things in a frame, with their places: `I see your mug on the left`."""
    return f"I see {_places_of(found, taught)}."


def _places_of(found: Sequence[Known], taught: Sequence[TaughtThing]) -> str:
    called = {thing.name: thing.called for thing in taught}
    return listed([f"{called[known.name]} {spot(known.box)}" for known in found])


def is_taught(thing: TaughtThing, found: Sequence[Known]) -> str:
    """The answer to "is this my mug?"."""
    if not found:
        return f"I don't see {thing.called}."
    if not found[0].sure:
        return f"It looks like {thing.called}, but I'm not sure."
    return f"Yes, that is {thing.called}, {spot(found[0].box)}."


def recognised(found: Sequence[Known], taught: Sequence[TaughtThing]) -> str:
    """The taught things that were recognised: `That is your mug, on the left`."""
    called = {thing.name: thing.called for thing in taught}
    names = [called.get(known.name, known.name) for known in found]
    if not found[0].sure:
        return f"It looks like {names[0]}, but I'm not sure."
    if len(found) == 1:
        return f"That is {names[0]}, {spot(found[0].box)}."
    return in_view(found, taught)


def alike(found: Count) -> str:
    """`three light blue things that look alike`."""
    more = ""
    if found.perhaps:
        more = f", and perhaps {count(found.perhaps, 'more', 'more')}, cut off or partly hidden"
    return f"{count(found.sure, f'{found.colour} thing')} that look alike{more}"


def counted(found: Count) -> list[str]:
    """How many things are alike, where none of them has a name."""
    if found.busy:
        return ["There is too much in the picture for me to count. A plain background would help."]
    if not found.sure:
        return ["I see nothing that stands out, so there is nothing to count."]
    all_together = found.sure + found.others
    if found.sure > 1:
        said = [f"I count {alike(found)}."]
        if found.others > found.perhaps:
            said += besides(found.others - found.perhaps)
    elif all_together > 1 and not found.perhaps:
        said = [f"I count {count(all_together, 'thing')}, no two of them alike."]
    else:
        said = [f"I count {count(1, f'{found.colour} thing')}."]
        if found.perhaps:
            more = count(found.perhaps, "more", "more")
            said = [f"{said[0][:-1]}, and perhaps {more}, cut off or partly hidden."]
    return said


def moving(found: Movement) -> str:
    """The answer to "is anything moving?"."""
    if not found.over_s:
        return "I need a second picture to tell. Ask me again in a moment."
    if found.camera:
        return "The whole picture moves: I think the camera does."
    if not found.moving:
        return "Nothing moves."
    what = f"Something {found.what}" if found.what else "Something"
    where = f" {listed(found.where)}" if found.where else ""
    if found.just_before:
        way = f", {found.way}" if found.way else ""
        return f"{what} moved{where} a moment ago{way}; now it is still."
    if found.way:
        return f"{what} is moving {found.way}{',' if where else ''}{where}."
    return f"{what} is moving{where}."


def located(name: str, boxes: Sequence[Box], caveat: str = "") -> list[str]:
    """The answer to "where is it?"."""
    if len(boxes) == 1:
        return [f"I see {name} {spot(boxes[0])}.", *([caveat] if caveat else [])]
    places = list(dict.fromkeys(spot(box) for box in boxes[:MOST_PLACES]))
    return [f"I see {name} {listed(places)}.", *([caveat] if caveat else [])]


def colour(found: Colour) -> str:
    """The answer to "what colour is this?"."""
    if not found.stands_out:
        return f"Nothing stands out in the middle; the picture is mostly {found.main}."
    if found.background and found.background != found.main:
        return f"It is {found.main}, before something {found.background}."
    return f"It is {found.main}."


def colour_of(found: Colour, thing: str) -> list[str]:
    """The answer to "what colour is the bus?": that of the thing in the middle, if it is clear."""
    if not thing or is_plain(thing):
        return [colour(found)]
    if worn(thing):
        if found.clothes:
            return [f"What the person wears is {found.clothes}."]
        return ["Which colour the clothes have I can't tell."]
    if edge := at_the_edge(found, thing):
        return edge
    if clear := clear_colour(found):
        behind = found.background
        before = f", before something {behind}" if behind and behind != clear else ""
        return [f"The thing in the middle is {clear}{before}.", unsure(thing)]
    return [f"I can't tell what here is {_the(thing)}, so I can't tell its colour."]


def clear_colour(found: Colour) -> str:
    """The colour of the one thing that fills the middle; empty if there is none, or several."""
    return found.main if found.stands_out and found.is_clear else ""


def worn(thing: str) -> bool:
    """Whether words for a thing mean clothing on the chest: "her red shirt"."""
    return bool(_CLOTHES & set(thing.lower().split()))


def at_the_edge(found: Colour, thing: str) -> list[str]:
    """The colour of the frame's edge for a sky or a floor; nothing for other things."""
    words = set(thing.lower().split())
    if not words & (_ABOVE | _BELOW):
        return []
    where, name = ("top", found.top) if words & _ABOVE else ("bottom", found.bottom)
    if not name:
        return [f"I can't tell: the {where} of the picture has several colours."]
    return [f"The {where} of the picture is {name}.", unsure(thing)]


def _the(thing: str) -> str:
    first, _, noun = thing.partition(" ")
    return thing if noun and first in _DETERMINERS else f"the {thing}"


def all_colours(found: Colour) -> str:
    """The answer to "which colours do you see?"."""
    names = [found.main, *(name for _, name in found.others)]
    names = list(dict.fromkeys([*names, *([found.background] if found.background else [])]))
    return f"I see {listed(names)}."


def is_plain(thing: str) -> bool:
    """Whether the words for a thing do not say what kind of thing it is."""
    return set(thing.split()) <= _PLAIN


def unsure(thing: str) -> str:
    """The caveat that the engine does not know the kind: "Whether it is a bus I can't tell."."""
    first, _, noun = thing.partition(" ")
    last = thing.split()[-1]
    if (last.endswith("s") and not last.endswith(("ss", "us"))) or " of " in thing:
        return "Whether that is what you mean I can't tell."
    if first in ("my", "our"):
        return f"Whether it is your {noun} I can't tell."
    if first in ("the", "this", "that", "a", "an", "any", "some", "his", "her"):
        thing = noun
    return f"Whether it is {with_article(thing)} I can't tell."


def found_or_not(name: str, colour: str, boxes: Sequence[Box], caveat: str = "") -> list[str]:
    """The answer to "is there anything red?"."""
    if not boxes:
        return [f"No, I see nothing {colour}."]
    where = listed(list(dict.fromkeys(spot(box) for box in boxes[:MOST_PLACES])))
    return [f"Yes, {name} {where}.", *([caveat] if caveat else [])]


def counted_spots(colour: str, boxes: Sequence[Box]) -> list[str]:
    """The answer to "how many red ones are there?"."""
    if not boxes:
        return [f"I see nothing {colour}."]
    return [f"I count {count(len(boxes), f'{colour} thing')}."]


def time_of_day(now: datetime, question: str) -> str:
    """The answer to "what time is it?", or to "what day is it?"."""
    if {"date", "day"} & set(question.lower().replace("?", "").split()):
        return f"Today is {now:%A}, {now.day} {now:%B %Y}."
    return f"It is {now:%H:%M} by this server's clock."


def faces(found: Sequence[Face]) -> str:
    """The number of the faces, and their places."""
    where = listed(list(dict.fromkeys(face.where for face in found)))
    verb = "is" if len(found) == 1 else "are"
    return f"There {verb} {count(len(found), 'face')}, {where}."


def codes(found: Sequence[Code]) -> str:
    """The contents of the codes."""
    said = [f"There is a {code.kind} {code.where}. It says: {code.text}." for code in found]
    return " ".join(said)


def lines(found: Sequence[TextLine]) -> str:
    """The text in reading order, cut if it is long."""
    text = ", ".join(line.text for line in found)
    return text if len(text) <= MAX_READ_CHARS else text[:MAX_READ_CHARS].rsplit(" ", 1)[0] + " …"


def _colours(found: Colour) -> str:
    places: dict[str, list[str]] = {}
    if found.stands_out:
        places[found.main] = ["in the middle"]
    for where, name in found.others:
        places.setdefault(name, []).append(where)
    if not places:
        return f"The picture is mostly {found.main}, and nothing stands out."
    parts = [
        f"something {name} {where[0]}" if len(where) == 1 else f"{name} things {listed(where)}"
        for name, where in places.items()
    ]
    return f"I see {listed(parts)}{_ground(found)}."


def _ground(found: Colour) -> str:
    return f", before something {found.background}" if found.background else ""
