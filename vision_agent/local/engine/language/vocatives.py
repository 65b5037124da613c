"""Finds the person addressed: "Tomasz, can you see that?" is said to somebody in the room. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

_EXAMPLES = Path(__file__).parent / "examples.tsv"

_BEFORE = "hey|yo|no|hi|oh|so|and|but|okay|yes|thanks|bye|hello"
_FIRST = re.compile(rf"\s*(?:(?i:{_BEFORE})[,?]? )*([A-Z][a-z]+)[,!?] ")
_LATER = re.compile(r", ([A-Z][a-z]+)(?:[.,;:!?]|\W*$)")

_WITH_NAMES = frozenset({"-", "beyond"})

_NO_NAMES = frozenset(
    """namaste yo sup dude bro evening cheerio ta okay ok alright pardon sorry hmm uh um er huh nah
    aw ooh ah oh oops honestly awesome sweet hush shush quit wait well now right look listen careful
    then also maybe actually anyway please yes no yeah come seriously quick assistant agent computer
    robot gemini google alexa siri cool great nice perfect brilliant lovely super wonderful shh
    monday tuesday wednesday thursday friday saturday sunday today tomorrow""".split()  # noqa: SIM905
)
"""Words beside a comma that address nobody, or the agent."""


def names_somebody(text: str, agents: Collection[str] = ()) -> bool:
    """Whether a sentence has a name beside a comma that is not an agent's.

    A capitalised word that occurs in no request among the examples is taken for a name.

    Args:
        text: As typed or heard, with its capitals and commas.
        agents: Agents that the caller may address, and taught names.
    """
    own = {word for agent in agents for word in agent.lower().split()}
    found = (_FIRST.match(text), *_LATER.finditer(text))
    return any(one and one[1].lower() not in own | _NO_NAMES | known_words() for one in found)


@cache
def known_words() -> frozenset[str]:
    """The words of the requests among the examples; none of them is a name."""
    lines = _EXAMPLES.read_text(encoding="utf-8").splitlines()
    rows = (line.partition("\t") for line in lines)
    return frozenset(
        word for intent, _, said in rows if intent not in _WITH_NAMES for word in said.split()
    )
