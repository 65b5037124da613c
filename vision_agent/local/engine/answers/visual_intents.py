"""The table of questions about the frame: the looks that each needs, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vision_agent.local.contract import Request
from vision_agent.local.engine.answers import named_things, phrasing
from vision_agent.local.engine.answers.asked_kind import asked_kind
from vision_agent.local.engine.answers.english import count, listed, sentence, with_article
from vision_agent.local.engine.answers.print_lines import expiry_in, lines_about, total_in
from vision_agent.local.engine.answers.taught_objects import HOW_TO_TEACH, UNKNOWN
from vision_agent.local.engine.sight import Box, Observations, TaughtThing
from vision_agent.local.engine.sight.everyday import is_held, kind_of
from vision_agent.local.engine.sight.naming import FURNITURE, WORN
from vision_agent.local.engine.sight.observations import PERHAPS, SURE
from vision_agent.local.engine.sight.observations import UNKNOWN as NO_NAME
from vision_agent.local.engine.sight.places import LEFT, MIDDLE, RIGHT, place

Taught = tuple[TaughtThing, ...]

_QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the newest frame.

    Attributes:
        needs: What to look for.
        say: Makes the sentences from the observations of this look and those before it.
        meanwhile: A sentence that is spoken before a slow look, if the question was spoken.
        only_unnamed: The look is left out if the looks before it found something with a name.
    """

    needs: frozenset[str]
    say: Callable[[Observations, Request, Taught], list[str]]
    meanwhile: str = ""
    only_unnamed: bool = False


def _scene(seen: Observations, request: Request, taught: Taught) -> list[str]:
    said = phrasing.scene(seen, taught)
    if said and _is_nameless(seen):
        thing = seen.shown
        if thing and thing.certainty != NO_NAME:
            return [named_things.this_is(thing), *said]
        return [*said, *(seen.off or ("What it is I can't tell.",))]
    return said


def _is_nameless(seen: Observations) -> bool:
    """Whether something stands out, but nothing has a likely name."""
    named = seen.known or named_things.prominent(seen)
    empty = seen.quality is not None and seen.quality.empty
    return not named and not empty and bool(seen.colour and seen.colour.stands_out)


def _alike(seen: Observations, request: Request, taught: Taught) -> list[str]:
    return phrasing.alike_besides(seen)


def _details(seen: Observations, request: Request, taught: Taught) -> list[str]:
    return phrasing.details(seen)[: phrasing.MOST_DETAILS]


def _what_is(seen: Observations, request: Request, taught: Taught) -> list[str]:
    thing = seen.shown
    if seen.known and (seen.known[0].sure or thing is None or thing.certainty != SURE):
        return [phrasing.recognised(seen.known, taught)]
    if thing is None or thing.certainty == NO_NAME:
        if named_things.believed(seen.named or ()) and not (seen.colour and seen.colour.stands_out):
            return phrasing.scene(seen, ())  # nothing is held up, but something is in view
        return [*phrasing.scene(replace(seen, named=None), ()), *seen.off, UNKNOWN]
    return [named_things.this_is(thing)]


def _held(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The answer to "what am I holding?"; the person, a table or a lake does not count."""
    thing = seen.shown
    if not seen.known and (thing is None or kind_of(thing.name) in FURNITURE):
        return [f"I don't know what you hold. {HOW_TO_TEACH}"]
    if not seen.known and thing and not is_held(thing.name):
        return ["I don't know what you hold.", named_things.this_is(thing)]
    return _what_is(seen, request, taught)


def _what_kind(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The answer to "what kind of animal is this?"."""
    asked, thing = request.slots.get("object", ""), seen.shown
    if (sort := request.slots.get("sort")) and not seen.known:
        if thing is None or thing.certainty == NO_NAME:
            return [f"Which {sort} this is I can't tell."]
        return [named_things.this_is(thing), f"Which {sort} I can't tell."]
    same = asked_kind(asked)
    fits = same is not None and thing is not None and same.fits(thing.name)
    if same and not fits and thing and thing.certainty == PERHAPS and not seen.known:
        return [f"Which {same.called} this is I can't tell."]
    if thing is None or thing.certainty == NO_NAME or same is None or not fits:
        return _what_is(seen, request, taught)
    if thing.name == same.called:
        return [f"I see {with_article(same.called)}. Which kind I can't tell."]
    return [named_things.this_is(thing)]


_SIDES = {"left": LEFT, "right": RIGHT}


def _is_at(side: str, box: Box) -> bool:
    return place(box.x + box.width / 2, 1.0) == side


def _side(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The sentences about one third of the frame."""
    asked = _SIDES.get(request.slots["side"], MIDDLE)
    called = {thing.name: thing.called for thing in taught}
    known = [thing for thing in seen.known or () if _is_at(asked, thing.box)]
    found = [called[thing.name] for thing in known]
    others = named_things.others(seen.named or (), [thing.box for thing in known])
    found += named_things.kinds([thing for thing in others if _is_at(asked, thing.box)])
    if not found:
        there = [one.colour for one in seen.things or () if _is_at(asked, one.box)]
        colours = [f"something {name}" for name in dict.fromkeys(there)]
        shown = seen.shown
        if shown and shown.certainty != NO_NAME and _is_at(asked, shown.box):
            return [named_things.this_is(shown)]
        if colours:
            return [f"I see {listed(colours)} {asked}.", "What it is I can't tell."]
    if not found:
        return [f"Nothing stands out {asked}."]
    return [f"I see {listed(found)} {asked}."]


def _count(seen: Observations, request: Request, taught: Taught) -> list[str]:
    found, things = named_things.believed(seen.named or ()), request.slots.get("things", "")
    unknown = [] if phrasing.is_plain(things) else [f"I can't recognise {things}."]
    if not found or unknown:
        return [*unknown, *(phrasing.counted(seen.count) if seen.count else [])]
    boxes = [thing.box for thing in found]
    unnamed = [one for one in seen.things or () if not named_things.covered(one.box, boxes)]
    return [named_things.how_many(seen), *phrasing.besides(len(unnamed))]


def _moving(seen: Observations, request: Request, taught: Taught) -> list[str]:
    return [phrasing.moving(seen.movement)] if seen.movement else []


def _colour(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.colour is None:
        return []
    if "many" in request.slots:
        return [phrasing.all_colours(seen.colour)]
    return phrasing.colour_of(seen.colour, request.slots.get("object", ""))


def _is_colour(seen: Observations, request: Request, taught: Taught) -> list[str]:
    asked = request.slots["colour"]
    if seen.colour is None:
        return []
    thing = request.slots.get("object", "")
    if asked in seen.colour.main.split():
        if thing and not phrasing.is_plain(thing):
            return [f"The thing in the middle is {seen.colour.main}.", phrasing.unsure(thing)]
        return [f"Yes, it is {seen.colour.main}."]
    for where, name in seen.colour.others:
        if asked in name.split():
            return [f"There is something {name} {where}."]
    return [f"No, it looks {seen.colour.main} to me."]


def _read(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.text:
        return [f"It says: {phrasing.lines(seen.text)}."]
    if seen.codes:
        return [phrasing.codes(seen.codes)]
    return ["I can't find any text that I can read. Hold it closer, and still."]


def _printed(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The answer to "can I park here?": the print in view, which is never interpreted."""
    if seen.text:
        return [f"It says: {phrasing.lines(seen.text)}."]
    return ["I can't tell: I see no print that says so. Hold the print closer, and still."]


def _inside(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The answer to "what is in this box?": its print, or the contents of an open one."""
    if not seen.text and (seen.known or named_things.prominent(seen)):
        return phrasing.scene(seen, taught)
    return _printed(seen, request, taught)


def _background(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The answer to "what colour is the wall?"; the engine can't tell a wall from a sky."""
    if seen.colour is None:
        return []
    thing = request.slots.get("object", "it")
    if edge := phrasing.at_the_edge(seen.colour, thing):
        return edge
    ground = seen.colour.background or seen.colour.main
    caveat = [] if "background" in thing.split() else [phrasing.unsure(thing)]
    return [f"The background is {ground}.", *caveat]


def _others(seen: Observations, request: Request, taught: Taught) -> list[str]:
    """The answer to "what is the man on the left holding?"."""
    said = _people(seen, request, taught)
    people = [one.box for one in named_things.people(seen)]
    if not people:
        return said
    held = [
        thing
        for thing in named_things.believed(seen.named or ())
        if kind_of(thing.name) not in WORN
        and is_held(thing.name)
        and named_things.covered(thing.box, people)
    ]
    if held and "hold" in request.slots:
        who = "the person" if len(people) == 1 else "people"
        named = sentence(f"perhaps {listed(named_things.kinds(held))}")
        return [f"{named[:-1]}: that is where I see {who}."]
    return [*said, "What they do, hold or wear I can't tell."]


def _scan(seen: Observations, request: Request, taught: Taught) -> list[str]:
    return [phrasing.codes(seen.codes)] if seen.codes else _read(seen, request, taught)


def _total(seen: Observations, request: Request, taught: Taught) -> list[str]:
    thing = request.slots.get("object", "")
    if thing and not phrasing.is_plain(thing):
        return _wanted(seen, lambda lines: lines_about(thing, lines), "that")
    return _wanted(seen, total_in, "a total or a price")


def _expiry(seen: Observations, request: Request, taught: Taught) -> list[str]:
    return _wanted(seen, expiry_in, "a date of expiry")


def _wanted(seen: Observations, find: Callable[[list[str]], list[str]], what: str) -> list[str]:
    """The requested lines; or the statement that there are none, with all the text."""
    if not seen.text:
        return ["I can't find any text that I can read. Hold it closer, and still."]
    found = find([line.text for line in seen.text])
    if found:
        return [f"It says: {listed(found)}."]
    return [f"I don't find {what} in it. It says: {phrasing.lines(seen.text)}."]


def _who_is(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.known and seen.known[0].sure:
        return [phrasing.recognised(seen.known, taught)]
    said = named_things.everybody(seen)
    return [said, "Who it is I can't tell."] if named_things.people(seen) else [said]


def _codes(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.codes:
        return [f"Yes. {phrasing.codes(seen.codes)}"]
    return ["I don't see a QR code or a barcode. Hold it closer, and still."]


def _changed(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.changes is None:
        return []
    if not seen.changes.changed and not seen.changes.since_s:
        return ["I have no earlier picture to compare with yet."]
    what = seen.changes.what
    ago = count(max(1, round(seen.changes.since_s)), "second")
    return [f"{what[0].upper()}{what[1:]}, compared with {ago} ago."]


def _people(seen: Observations, request: Request, taught: Taught) -> list[str]:
    return [*seen.off, named_things.everybody(seen)]


def _faces(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.faces:
        return [phrasing.faces(seen.faces)]
    return [*seen.off, "I see no face. I only find faces that look at the camera."]


def _light(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if seen.quality and seen.quality.blurred:
        return ["There is enough light, but the picture is blurred."]
    return ["There is enough light for me."]


def _see_me(seen: Observations, request: Request, taught: Taught) -> list[str]:
    if named_things.people(seen):
        return [f"Yes. {named_things.everybody(seen)}"]
    return ["I get your picture, but I see no one in it."]


_SEE = (
    # Slow looks run while the first sentence is being spoken.
    Look(frozenset({"named", "shown", "colour", "known", _QUALITY}), _scene),
    Look(frozenset({"count"}), _alike, only_unnamed=True),
    Look(frozenset({"movement", "text", "codes"}), _details),
)
_THIS = frozenset({"named", "shown", "colour", "known", _QUALITY})
_PEOPLE = frozenset({"named", _QUALITY})

LOOKS = {
    "see": _SEE,
    "closer": _SEE,
    "what_is": (
        Look(_THIS, _what_is),
        Look(frozenset({"text", "codes"}), _details),
    ),
    "held": (Look(_THIS, _held),),
    "what_kind": (Look(_THIS, _what_kind),),
    "side": (Look(frozenset({"named", "shown", "things", "known", _QUALITY}), _side),),
    "count": (Look(frozenset({"named", "things", "count", _QUALITY}), _count),),
    "moving": (Look(frozenset({"movement", _QUALITY}), _moving),),
    "colour": (Look(frozenset({"colour", _QUALITY}), _colour),),
    "is_colour": (Look(frozenset({"colour", _QUALITY}), _is_colour),),
    "read": (Look(frozenset({"text", "codes", _QUALITY}), _read, meanwhile="Let me read it."),),
    "scan": (Look(frozenset({"text", "codes", _QUALITY}), _scan, meanwhile="Let me scan it."),),
    "total": (Look(frozenset({"all_text", _QUALITY}), _total, meanwhile="Let me read it."),),
    "expiry": (Look(frozenset({"all_text", _QUALITY}), _expiry, meanwhile="Let me read it."),),
    "printed": (Look(frozenset({"text", _QUALITY}), _printed, meanwhile="Let me read it."),),
    "inside": (Look(_THIS | {"text"}, _inside, meanwhile="Let me read it."),),
    "background": (Look(frozenset({"colour", _QUALITY}), _background),),
    "others": (Look(_PEOPLE, _others),),
    "who_is": (Look(_PEOPLE | {"known"}, _who_is),),
    "code": (Look(frozenset({"codes", _QUALITY}), _codes),),
    "changed": (Look(frozenset({"changes", _QUALITY}), _changed),),
    "people": (Look(_PEOPLE, _people),),
    "faces": (Look(frozenset({"faces", _QUALITY}), _faces),),
    "light": (Look(frozenset({_QUALITY}), _light),),
    "see_me": (Look(_PEOPLE, _see_me),),
}
"""Intents that need the newest frame, and the looks that each takes, the fastest first."""
