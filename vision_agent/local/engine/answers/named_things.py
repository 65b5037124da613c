"""Sentences about named things: their kinds, number, places and certainty. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from vision_agent.detection.box import shared_area
from vision_agent.local.engine.answers.english import count, listed, sentence, with_article
from vision_agent.local.engine.sight import Box, Named, Observations
from vision_agent.local.engine.sight.everyday import MASS, PLURAL, kind_of
from vision_agent.local.engine.sight.observations import LIKELY, PERHAPS, SURE, UNKNOWN
from vision_agent.local.engine.sight.places import spot

MOST_KINDS = 5
"""Kinds that one sentence lists; nobody listens to a longer list."""

MOST_PLACES = 3

COVERED = 0.5
"""If at least this share of a box lies within another one, both hold the same thing."""

CROWD = 5
"""From this many overlapping things of a kind on, others may be hidden behind them."""

Group = list[Named]


def is_crowd(things: Sequence[Named]) -> bool:
    """Whether so many things overlap that their number is not known."""
    pairs = combinations([thing.box for thing in things], 2)
    return len(things) >= CROWD and any(shared_area(one, other) > 0 for one, other in pairs)


def believed(things: Sequence[Named]) -> list[Named]:
    """The sure and likely things; the possible ones only if there are no others."""
    certain = [thing for thing in things if thing.certainty in (SURE, LIKELY)]
    return certain or [thing for thing in things if thing.certainty == PERHAPS]


def prominent(seen: Observations) -> list[Named]:
    """The things in view, with the finer name of the main one; only that one if it is alone."""
    found = believed(seen.named or ())
    shown = seen.shown
    if shown is not None and shown.certainty == PERHAPS and not found:
        return [shown]
    if shown is None or shown.certainty not in (SURE, LIKELY):
        return found
    if not found:
        return [shown]
    return [shown if thing.box == shown.box else thing for thing in found]


def most_prominent(seen: Observations) -> Named | None:
    """The one thing that an answer is about: the main thing, or the largest named one."""
    if seen.shown and seen.shown.certainty != UNKNOWN:
        return seen.shown
    return max(believed(seen.named or ()), key=_area, default=None)


def covered(box: Box, boxes: Sequence[Box]) -> bool:
    """Whether a box lies within another one."""
    area = max(box.width * box.height, 1e-9)
    return any(shared_area(box, other) > COVERED * area for other in boxes)


def others(things: Sequence[Named], boxes: Sequence[Box]) -> list[Named]:
    """The things that lie elsewhere than the boxes."""
    return [thing for thing in things if not covered(thing.box, boxes)]


def kinds(things: Sequence[Named]) -> list[str]:
    """The kinds of things, with their numbers and without places: `two bottles`, `a laptop`."""
    return [_several(group) for group in _groups(believed(things))]


def perhaps_more(seen: Observations) -> frozenset[str]:
    """The kinds of which one more thing may be in view that is not counted."""
    found = believed(seen.named or ())
    crowds = [thing for group in _groups(found) if is_crowd(group) for thing in group]
    doubtful = [thing for thing in seen.named or () if thing not in found]
    return frozenset(kind_of(thing.name) for thing in (*doubtful, *crowds))


def inventory(things: Sequence[Named], more: frozenset[str] = frozenset()) -> str:
    """The things in view: `two bottles and a laptop, the laptop on the left`; empty if none are.

    Args:
        things: From left to right.
        more: The kinds of which there may be more, so that their number is a minimum.
    """
    found = believed(things)
    groups = _groups(found)
    if not groups:
        return ""
    perhaps = "perhaps " if found[0].certainty == PERHAPS else ""
    if all(len(group) == 1 for group in groups):
        return perhaps + listed([_with_place(group[0]) for group in groups])
    said = listed([_several(group, more) for group in groups])
    alone = [group[0] for group in groups if len(group) == 1]
    where = listed([f"the {thing.name} {spot(thing.box)}" for thing in alone])
    return f"{perhaps}{said}{f', {where}' if where else ''}"


def _with_place(thing: Named) -> str:
    return f"{a_thing(thing)} {spot(thing.box)}" if thing.placed else a_thing(thing)


def people(seen: Observations) -> list[Named]:
    """The people in view, from left to right."""
    return believed([thing for thing in seen.named or () if thing.name == "person"])


def everybody(seen: Observations) -> str:
    """The number and the places of the people: `I see two people, on the left and on the right`.

    If there may be more of them, the sentence has no number.
    """
    found = people(seen)
    if not found:
        return "I don't see anyone."
    where = places([one.box for one in found])
    comma = "," if len(found) > 1 else ""
    everyone = [thing for thing in seen.named or () if thing.name == "person"]
    if len(everyone) > len(found) or is_crowd(found):
        who = "somebody" if len(found) == 1 else "several people,"
        return f"I see {who} {where}, and perhaps more; how many I can't tell."
    return f"I see {count(len(found), 'person')}{comma} {where}."


def how_many(seen: Observations) -> str:
    """The number and the kinds of things: `Three things: two bottles and a laptop`."""
    things = believed(seen.named or ())
    names = kinds(things)
    least = "at least " if perhaps_more(seen) else ""
    if len(names) > 1:
        return sentence(f"{least}{count(len(things), 'thing')}: {listed(names)}")
    return sentence(least + (names[0] if len(things) > 1 else count(1, things[0].name)))


def this_is(thing: Named) -> str:
    """The answer to "what is this?" for a thing with a name."""
    if thing.certainty == PERHAPS:
        return sentence(f"perhaps {a_thing(thing)}")
    if thing.name == "person":
        return "I see a person."
    looks = "they look" if thing.name in PLURAL else "it looks"
    return sentence(f"{looks} like {a_thing(thing, coloured=True)}")


def how_sure(thing: object | None) -> str:
    """The answer to "are you sure?" about the thing that was named last, if any."""
    if not isinstance(thing, Named):
        return "I only say what I see. Ask me again, and I look again."
    if thing.certainty == SURE:
        return f"I'm fairly sure that it is {a_thing(thing)}, but I can be wrong."
    if thing.certainty == LIKELY:
        return f"Not quite. I think that it is {a_thing(thing)}."
    return f"No. It may be {a_thing(thing)}, or something else."


def a_thing(thing: Named, *, coloured: bool = False) -> str:
    """The name with its article and, if wanted, the colour: `a green bottle`, `sunglasses`."""
    full = f"{thing.colour} {thing.name}".strip() if coloured else thing.name
    if thing.name in MASS:
        return f"some {full}"
    return full if thing.name in PLURAL else with_article(full)


def places(boxes: Sequence[Box]) -> str:
    """The places of boxes, each once: `on the left and in the middle`."""
    return listed(list(dict.fromkeys(spot(box) for box in boxes[:MOST_PLACES])))


def _groups(things: Sequence[Named]) -> list[Group]:
    """The things by kind, the most numerous and then the largest first."""
    kinds: dict[str, Group] = {}
    for thing in things:
        kinds.setdefault(kind_of(thing.name), []).append(thing)

    def weight(group: Group) -> tuple[int, float]:
        return len(group), max(_area(thing) for thing in group)

    return sorted(kinds.values(), key=weight, reverse=True)[:MOST_KINDS]


def _area(thing: Named) -> float:
    return thing.box.width * thing.box.height


def _several(group: Group, more: frozenset[str] = frozenset()) -> str:
    """`a laptop`, `two bottles`; things with different names are counted under their kind."""
    if len(group) == 1:
        return a_thing(group[0])
    names = {thing.name for thing in group}
    least = "at least " if kind_of(group[0].name) in more else ""
    return least + count(len(group), names.pop() if len(names) == 1 else kind_of(group[0].name))
