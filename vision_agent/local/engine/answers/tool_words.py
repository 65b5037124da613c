"""Words of requests and of tools in a comparable form. Pure.

A small table of concepts maps `ways_of_asking` to words in a tool's name or description: "tell me
when …" asks for what a tool calls "watch", "notify" or "alert". The table contains no names of
tools.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from vision_agent.local.engine.language.ways_of_asking import ways

LITTLE = frozenset(
    """a an and are at be by can could do does for from get give go have how i in is it its let me
    my of on or our out please shall should show so tell that the their them there this to us want
    was we what when where which who will with would you your now right up off into some any just
    as if then did has had am many much""".split()  # noqa: SIM905
)
"""Words that occur in any request and do not indicate a tool."""

ASKING = frozenset(
    """what when where which who how can could will would please tell show give get set turn
    start stop find look check call open close play make is are do does add book order search
    send write read pick put take switch remove delete cancel create list count know reset change
    move save store note buy need want log record ask did was were""".split()  # noqa: SIM905
)
"""Words with which a request begins; the first word of a tool's own name is another."""

GENERIC = frozenset(
    """say tell look see picture camera number thing text caller user call answer question show
    word image give know time use ask read write detail small label part people person""".split()  # noqa: SIM905
)
"""Words of many descriptions, which alone do not ask for a tool."""

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
"""Stems that are replaced by a synonym."""

CONCEPTS: dict[str, tuple[str, ...]] = {
    "watch": ("watch", "notify", "alert", "monitor", "warn"),
    "point": ("point", "highlight", "mark", "box"),
    "closer": ("closely", "closer", "zoom", "examine", "inspect", "detail", "resolution"),
    "remind": ("remind", "reminder", "timer", "alarm"),
    "recall": ("memory", "memories", "recall"),
}
"""Kinds of tools that have `ways_of_asking`, and the words that name such a tool."""

_WAYS = {name: ways(name) for name in CONCEPTS}


_KEPT = 2048
"""The number of stems that are kept: each tool's words are compared with every sentence."""


@lru_cache(_KEPT)
def stem(word: str) -> str:
    """The stem of an English word, exact enough for comparisons."""
    for ending in ("ements", "ement", "ing", "ies", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    return _SAME.get(word, word)


def stems(words: Sequence[str]) -> frozenset[str]:
    """The stems of the words that are not in `LITTLE`."""
    return frozenset(stem(word) for word in words if word not in LITTLE)


def split_name(name: str) -> list[str]:
    """`getWeatherFor` and `get_weather_for` as words."""
    return re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").lower().split()


def asked_concepts(words: Sequence[str]) -> list[tuple[str, int, int]]:
    """The concepts asked for: each with the start and end (exclusive) of the asking phrase."""
    found, spoken = [], set(words)
    for name, phrases in _WAYS.items():
        for phrase in phrases:
            # Of most phrases not even the first word is spoken.
            at = find_words(words, phrase) if phrase[0] in spoken else None
            if at is not None:
                found.append((name, at, at + len(phrase)))
                break
    return found


def find_words(words: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The index at which one sequence of words begins in another; None if it is not in it."""
    for at in range(len(words) - len(wanted) + 1):
        if list(words[at : at + len(wanted)]) == list(wanted):
            return at
    return None


def tool_concepts(words: Sequence[str]) -> frozenset[str]:
    """The concepts that a tool's words indicate."""
    of_tool = {stem(word) for word in words}
    return frozenset(
        name
        for name, keywords in CONCEPTS.items()
        if any(stem(keyword) in of_tool for keyword in keywords)
    )
