"""Answers to questions about one kind of thing: how many, where, is there one, which colour. Pure.

For a kind that sight can't find everywhere, the answer covers only a thing that is held up, and
says so: "none" would be a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vision_agent.local.engine.answers import phrasing
from vision_agent.local.engine.answers.asked_kind import AskedKind
from vision_agent.local.engine.answers.english import count, listed, sentence, with_article
from vision_agent.local.engine.answers.named_things import (
    a_thing,
    believed,
    covered,
    is_crowd,
    kinds,
    places,
)
from vision_agent.local.engine.language.vocabulary import plural
from vision_agent.local.engine.sight import Colour, Named, Observations
from vision_agent.local.engine.sight.everyday import SORTS, of_sort
from vision_agent.local.engine.sight.observations import PERHAPS, UNKNOWN
from vision_agent.local.engine.sight.places import MIDDLE


def fitting(asked: AskedKind, seen: Observations) -> list[Named]:
    """The things of a kind, from left to right; of the colour too, if one was named."""
    found = [thing for thing in seen.named or () if asked.fits(thing.name)]
    if seen.shown and asked.fits(seen.shown.name) and not found:
        found = [seen.shown]
    return believed([thing for thing in found if asked.colour in thing.colour])


def how_many(asked: AskedKind, seen: Observations) -> list[str]:
    """The answer to "how many bottles do you see?"."""
    found = fitting(asked, seen)
    if not found and (asked.is_found or _of_its_sort(asked, seen)):
        return [_none(asked, seen)]
    if not found:
        return [f"I can't count {plural(asked.called)}.", *_alike(seen)]
    if _is_perhaps_more(asked, found, seen):
        where = places([thing.box for thing in found])
        some = _some(asked, found) if len(found) == 1 else f"several {plural(asked.full)},"
        return [f"I see {some} {where}, and perhaps more; how many I can't tell."]
    if found[0] in (seen.named or ()):
        return [_counted(asked, found)]
    # The classifier names what a crop shows, be it one thing or many.
    if seen.count and seen.count.sure > 1:
        return [f"They look like {plural(asked.called)}.", *_alike(seen)]
    if seen.count and (seen.count.sure, seen.count.perhaps, seen.count.others) == (1, 0, 0):
        return [_counted(asked, found)]
    return [f"I see {_some(asked, found)}; how many there are I can't tell."]


def where_is(asked: AskedKind, seen: Observations) -> list[str]:
    """The answer to "where is the cup?"."""
    found = fitting(asked, seen)
    if not found:
        return [_missing(asked, seen)]
    if not found[0].placed:
        return [f"I see {_some(asked, found)}, but where exactly I can't tell."]
    where = places([thing.box for thing in found])
    return [f"I see {_some(asked, found)} {where}.", *_whose(asked, found)]


def is_there(asked: AskedKind, seen: Observations) -> list[str]:
    """The answer to "is there a dog?"."""
    found = fitting(asked, seen)
    if not found:
        surely = asked.is_found and not _of_its_sort(asked, seen)
        return [f"{'No, ' * surely}{_missing(asked, seen)}"]
    said = _some(asked, found)
    if found[0].placed:
        said += f" {places([thing.box for thing in found])}"
    if not _is_exact(asked, found):
        return [f"I see {said}. Which kind I can't tell."]
    yes = "" if found[0].certainty == PERHAPS else "yes, "
    return [sentence(yes + said), *_whose(asked, found)]


def is_this(asked: AskedKind, seen: Observations) -> list[str]:
    """The answer to "is this a banana?"."""
    found, shown = fitting(asked, seen), seen.shown
    one = with_article(asked.full)
    if found and shown and not asked.fits(shown.name) and shown.certainty != UNKNOWN:
        return [f"I see {one} {places([found[0].box])}."]
    if found:
        if found[0].certainty == PERHAPS:
            return [f"Perhaps {one}, but I'm not sure."]
        if not _is_exact(asked, found):
            return [f"I see {one}, but which kind it is I can't tell."]
        one = with_article(asked.exact) if asked.exact else _some(asked, found[:1])
        return [f"Yes, it looks like {one}.", *_whose(asked, found)]
    if _of_its_sort(asked, seen):
        return [_missing(asked, seen)]
    if shown is None or shown.certainty == UNKNOWN:
        return [f"I can't tell whether this is {one}."]
    if shown.certainty == PERHAPS:
        return [f"I don't think so. Perhaps it is {a_thing(shown)}."]
    if asked.fits(shown.name):
        return [f"No, it looks like {a_thing(shown)}."]  # of another colour
    return [f"I don't think so: it looks like {a_thing(shown)}."]


def colour_of(asked: AskedKind, seen: Observations) -> list[str]:
    """The answer to "what colour is the bottle?"."""
    found = fitting(asked, seen)
    colours = list(dict.fromkeys(thing.colour for thing in found if thing.colour))
    if not found:
        return [_missing(asked, seen)]
    if not colours and len(found) == 1 and not found[0].placed and seen.colour:
        colours = _in_the_middle(seen.colour)
    if not colours:
        return [f"I see {_some(asked, found)}, but which colour to call it I can't tell."]
    if len(found) > 1:
        return [f"The {plural(asked.called)} are {listed(colours)}."]
    return [f"The {asked.called} is {colours[0]}."]


def is_colour(asked: AskedKind, seen: Observations) -> list[str]:
    """The answer to "is the bottle green?"; ``asked`` names the colour."""
    if found := fitting(asked, seen):
        be = "is" if len(found) == 1 else "are"
        noun = asked.called if len(found) == 1 else plural(asked.called)
        return [f"Yes, the {noun} {be} {found[0].colour}."]
    plain = AskedKind(asked.called, asked.kinds)
    others = colour_of(plain, seen)
    return [f"No. {others[0]}"] if fitting(plain, seen) else others


def text_on(asked: AskedKind, seen: Observations) -> Observations:
    """The observations with only the text on things of this kind, if there is any on them."""
    boxes = [thing.box for thing in fitting(asked, seen)]
    lines = [line for line in seen.text or () if line.box and covered(line.box, boxes)]
    return replace(seen, text=tuple(lines)) if lines else seen


ABOUT_KINDS: dict[str, Callable[[AskedKind, Observations], list[str]]] = {
    "count": how_many,
    "count_colour": how_many,
    "where": where_is,
    "point": where_is,
    "is_thing": is_there,
    "any_colour": is_there,
    "is_known": is_this,
    "colour": colour_of,
    "is_colour": is_colour,
}
"""Intents that may be about a kind of thing."""

SLOTS = {"count": "things", "where": "target", "point": "target", "is_known": "name"}
"""The slot that holds the kind; ``object`` for the other intents."""


def _alike(seen: Observations) -> list[str]:
    return phrasing.counted(seen.count) if seen.count else []


def _counted(asked: AskedKind, found: Sequence[Named]) -> str:
    perhaps = "perhaps " if found[0].certainty == PERHAPS else ""
    return sentence(f"{perhaps}{count(len(found), asked.full)}")


def _some(asked: AskedKind, found: Sequence[Named]) -> str:
    perhaps = "perhaps " if found[0].certainty == PERHAPS else ""
    several = len(found) > 1
    if len(asked.kinds) > 1 and not asked.colour:
        return perhaps + listed(kinds(found))
    return perhaps + (count(len(found), asked.full) if several else with_article(asked.full))


def _whose(asked: AskedKind, found: Sequence[Named]) -> list[str]:
    """The caveat that a thing's owner can't be seen; taught things are answered elsewhere."""
    it = "it is" if len(found) == 1 else "one of them is"
    return [f"Whether {it} yours I can't tell."] if asked.mine else []


def _in_the_middle(colour: Colour) -> list[str]:
    """The colour, or both colours, of a thing that fills the middle; nothing if it has more."""
    clear = phrasing.clear_colour(colour)
    names = [clear, *(name for where, name in colour.others if where == MIDDLE)]
    either = list(dict.fromkeys(names))
    return [" or ".join(either)] if clear and len(either) < 3 else []


def _is_exact(asked: AskedKind, found: Sequence[Named]) -> bool:
    """Whether a thing is known to be of the narrower kind, if the caller asked for one."""
    return not asked.exact or any(asked.exact in (thing.name, thing.finer) for thing in found)


def _is_perhaps_more(asked: AskedKind, found: Sequence[Named], seen: Observations) -> bool:
    """Whether there may be more things of the kind that are not counted."""
    alike = [thing for thing in seen.named or () if asked.fits(thing.name)]
    alike = [thing for thing in alike if asked.colour in thing.colour]
    return len(alike) > len(found) or is_crowd(found) or _is_one_of_many(found, seen)


def _is_one_of_many(found: Sequence[Named], seen: Observations) -> bool:
    """Whether a thing that was found is one of more things that look alike."""
    if seen.count is None or seen.count.sure <= len(found):
        return False
    return any(covered(one.box, seen.count.boxes) for one in found if one.placed)


def _of_its_sort(asked: AskedKind, seen: Observations) -> Named | None:
    """The thing of a broader kind that sight found: a "bird", if a duck is asked for."""
    thing = seen.shown
    if thing is None or thing.name not in SORTS or asked.kinds >= of_sort(thing.name):
        return None
    return thing if asked.kinds <= of_sort(thing.name) else None


def _none(asked: AskedKind, seen: Observations) -> str:
    if _of_its_sort(asked, seen):
        return _missing(asked, seen)
    other = _of_other_colour(asked, seen)
    if other:
        return f"None that I can see: I see {other}."
    if asked.kinds == {"person"}:
        return "None that I can see."
    return f"I can't find {with_article(asked.full)}; a small or hidden one I would miss."


def _missing(asked: AskedKind, seen: Observations) -> str:
    if thing := _of_its_sort(asked, seen):
        perhaps = "perhaps " if thing.certainty == PERHAPS else ""
        return f"I see {perhaps}{a_thing(thing)}. Which kind I can't tell."
    other = _of_other_colour(asked, seen)
    if other:
        return f"I see {other}, but none that is {asked.colour}."
    unseen = f"I don't see {with_article(asked.full)}"
    return f"{unseen}." if asked.is_found else f"{unseen}; I would know one only close up."


def _of_other_colour(asked: AskedKind, seen: Observations) -> str:
    plain = AskedKind(asked.called, asked.kinds)
    found = fitting(plain, seen) if asked.colour else []
    return _some(plain, found) if found else ""
