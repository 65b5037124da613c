"""Whether a sentence asks for a calculation: "12 times 7", "what is 5 plus 1". Pure."""

from __future__ import annotations

import re

from vision_agent.local.engine.language.normalisation import MOST_CHARACTERS, normalise
from vision_agent.local.engine.language.spoken_numbers import number_at

_OPERATORS = (
    *(["times"], ["plus"], ["minus"], ["x"], ["divided", "by"], ["multiplied", "by"]),
    *(["percent", "of"], ["to", "the", "power", "of"]),
)
_TOLD = {
    "add": ("and", "to"),
    "take": ("from", "off"),
    "subtract": ("from",),
    "multiply": ("by", "with", "and"),
    "divide": ("by",),
}
"""Verbs before a number, and the words between it and the next number."""

_SIGNS = re.compile(r"\d\s*[+*\u00d7\u00f7]\s*\d|\d\s+[-/]\s+\d|\d\s*%\s*of\s*\d")


def is_sum(text: str) -> bool:
    """Whether two numbers stand around the name or the sign of an operation."""
    if _SIGNS.search(text[:MOST_CHARACTERS]):
        return True
    words = normalise(text).split()
    if {"square", "root"} <= set(words):
        return True
    for at in range(len(words)):
        found = number_at(words, at)
        if found is None:
            continue
        end = at + found[1]
        for operator in _OPERATORS:
            after = end + len(operator)
            if words[end:after] == operator and after < len(words) and number_at(words, after):
                return True
        between = _TOLD.get(words[at - 1], ()) if at else ()
        told = end + 1 < len(words) and words[end] in between
        if told and number_at(words, end + 1):
            return True
    return False
