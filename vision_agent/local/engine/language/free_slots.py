"""The named parts of a request whose wording is free: "could you spot my keys" → my keys. Pure.

The nearest example says what a sentence asks for, and not of which thing. That stands in the
sentence, after one of a few words.
"""

from __future__ import annotations

import re

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.phrase_rules import COLOURS

_DETERMINER = r"(?:a|an|any|some|the|my|our|your|his|her|their|this|that|these|those|there)"
_NO_THING = (
    "is|are|do|does|did|can|could|in|on|at|to|from|for|of|here|there|now|right|please|and|when|if"
    "|you|i|we|it|see|seen|be|been|was|were|have|has|or|anywhere|somewhere|around|by|left|up|that"
    "|which|gone|am"
)
_THING = rf"((?:(?!(?:{_NO_THING})\b)[a-z0-9]+ ?){{1,4}})"
_KIND = "kind|sort|type|breed|species|make|variety|what|which"

_FOUND = {
    "count": (rf"(?:how many|number of|count) (?:of )?(?:{_DETERMINER} )?{_THING}", "things"),
    "where": (rf"({_DETERMINER} {_THING})", "target"),
    "point": (rf"({_DETERMINER} {_THING})", "target"),
    "is_thing": (rf"(?:a|an|any|some|my|pair of) {_THING}", "object"),
    "is_known": (rf"(a|an|my|our|the) {_THING}", "name"),
    "what_kind": (rf"(?:{_KIND})(?: of)? {_THING}", "object"),
    "side": (r"\b(left|right|middle|centre|center)\b", "side"),
}
"""The pattern that finds the part, and its name."""

_EVENT = re.compile(
    r"(?:when(?:ever)?|if|as soon as|once|the moment|in case|until|for) ((?:[a-z0-9]+ ?){1,10})"
)

INSTEAD = {
    "count": "count",
    "is_thing": "see",
    "is_known": "what_is",
    "what_kind": "what_is",
    "side": "see",
    "is_colour": "colour",
    "any_colour": "colour",
    "count_colour": "count",
}
"""What is asked where the part is not found; without one it is not understood."""


def with_slots(intent: str, sentence: str) -> Request | None:
    """The request with its parts.

    Args:
        intent: What the sentence asks for.
        sentence: Normalised.
    """
    colour = next((word for word in sentence.split() if word in COLOURS), None)
    if intent in ("is_colour", "any_colour", "count_colour", "is_thing") and colour:
        intent = "any_colour" if intent == "is_thing" else intent
        slots = {"colour": colour}
        if after := re.search(rf"\b{colour} {_THING}", sentence):
            slots["object"] = after[1].strip()
        elif intent == "count_colour":
            slots["object"] = "ones"
        return Request(intent, slots, loose=True)
    if intent in ("is_known", "is_thing") and " or " in sentence:
        return Request("what_is", loose=True)
    if intent == "watch":
        found = _EVENT.search(sentence)
        return Request(intent, {"event": found[1].strip()}, loose=True) if found else None
    if intent not in _FOUND and intent not in INSTEAD:
        return Request(intent, loose=True)
    pattern, name = _FOUND.get(intent, ("$^", ""))
    found = re.search(pattern, sentence)
    if found is None:
        return Request(INSTEAD[intent], loose=True) if intent in INSTEAD else None
    slots = {name: found[found.lastindex or 1].strip()}
    if intent in ("where", "point"):
        slots[name] = found[1].strip()
    elif intent == "is_known":
        slots["whose"] = found[1]
    return Request(intent, slots, loose=True)
