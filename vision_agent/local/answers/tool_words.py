"""Words of requests and of tools, brought to a form in which they can be compared. Pure.

A small table of concepts says which ways of asking mean the same as which words in a tool's name or
description: "tell me when …" asks for what a tool calls "watch", "notify" or "alert". There is no
tool's name in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LITTLE = frozenset(
    """a an and are at be by can could do does for from get give go have how i in is it its let me
    my of on or our out please shall should show so tell that the their them there this to us want
    was we what when where which who will with would you your now right up off into some any just
    as if then did has had am""".split()  # noqa: SIM905
)
"""Words that every request has; they say nothing about which tool is meant."""

ASKING = frozenset(
    """what when where which who how can could will would please tell show give get set turn
    start stop find look check call open close play make is are do does add book order search
    send write read pick put take switch remove delete cancel create list count know""".split()  # noqa: SIM905
)
"""Words that a request begins with; besides these, the first word of a tool's own name."""

_SAME = {
    "gon": "disappear",
    "away": "disappear",
    "vanish": "disappear",
    "leav": "disappear",
    "com": "appear",
    "arriv": "appear",
    "show": "appear",
    "motion": "mov",
    "movement": "mov",
    "someon": "person",
    "somebody": "person",
    "peopl": "person",
    "writ": "text",
}
"""Stems that stand for others."""

CONCEPTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "watch": (
        (
            "tell me when",
            "tell me if",
            "tell me as soon as",
            "let me know when",
            "let me know if",
            "let me know as soon as",
            "say so when",
            "warn me when",
            "warn me if",
            "alert me when",
            "alert me if",
            "notify me when",
            "notify me if",
            "watch out for",
            "watch for",
            "watch",
            "keep an eye on",
            "look out for",
        ),
        ("watch", "notify", "alert", "monitor", "warn"),
    ),
    "point": (
        ("point at", "point to", "show me where", "highlight", "mark", "draw a box around"),
        ("point", "highlight", "mark", "box"),
    ),
    "closer": (
        (
            "take a closer look at",
            "take a closer look",
            "have a closer look at",
            "look more closely at",
            "look more closely",
            "look closely at",
            "look closely",
            "look closer at",
            "look closer",
            "zoom in on",
            "zoom in",
            "examine",
            "inspect",
        ),
        ("closely", "closer", "zoom", "examine", "inspect", "detail", "resolution"),
    ),
    "remind": (
        (
            "remind me",
            "set a reminder",
            "set a timer",
            "set an alarm",
            "set a alarm",
            "wake me",
        ),
        ("remind", "reminder", "timer", "alarm"),
    ),
    "recall": (
        (
            "what did i tell you",
            "what did i say",
            "what do you remember",
            "what do you know",
            "do you remember",
            "did i tell you",
            "did i say",
            "have i told you",
            "what did we say",
            "what did we talk",
            "search your memory",
            "look in your memory",
        ),
        ("memory", "memories", "recall"),
    ),
}
"""Name → the ways of asking, the longest first, and the words of a tool that does it."""


def stem(word: str) -> str:
    """What inflection leaves of an English word; good enough to compare with."""
    for ending in ("ements", "ement", "ing", "ies", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    return _SAME.get(word, word)


def stems(words: Sequence[str]) -> frozenset[str]:
    """The stems of the words that say something."""
    return frozenset(stem(word) for word in words if word not in LITTLE)


def split_name(name: str) -> list[str]:
    """`getWeatherFor` and `get_weather_for` as words."""
    return re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").lower().split()


def asked_concepts(words: Sequence[str]) -> list[tuple[str, int, int]]:
    """Which concepts are asked for: name, and the first word and past the last one of asking."""
    found = []
    for name, (phrases, _) in CONCEPTS.items():
        for phrase in phrases:
            at = find_words(words, phrase.split())
            if at is not None:
                found.append((name, at, at + len(phrase.split())))
                break
    return found


def find_words(words: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Where one sequence of words begins in another; None if it does not."""
    for at in range(len(words) - len(wanted) + 1):
        if list(words[at : at + len(wanted)]) == list(wanted):
            return at
    return None


def tool_concepts(words: Sequence[str]) -> frozenset[str]:
    """The concepts that a tool's words speak of."""
    of_tool = {stem(word) for word in words}
    return frozenset(
        name
        for name, (_, keywords) in CONCEPTS.items()
        if any(stem(keyword) in of_tool for keyword in keywords)
    )
