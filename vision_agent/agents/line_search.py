"""Finds the lines of conversation that answer a query, by their words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_FOUND = 10

_STOP_WORDS = frozenset(
    """talk talked speak spoke discuss discussed earlier before previous last call conversation
    a about am an and any are at be been but by can could did do does for from had has have
    he her his how i if in is it its know me my no not of on or our please recall remember
    said say she so tell that the their them there they this time to told us was we were
    what when where which who why will with would you your yes""".split()  # noqa: SIM905
)
"""Words without meaning for a search."""


def best_lines(lines: Sequence[str], query: str) -> list[int]:
    """The indices of the lines that answer a query best, in order.

    Args:
        lines: The lines, oldest first.
        query: Any text; without meaningful words it finds the newest lines.
    """
    asked = keywords(query)
    if not asked:
        return list(range(max(0, len(lines) - MAX_FOUND), len(lines)))
    scores = [len(asked & keywords(line)) for line in lines]
    # The newer of equally good lines: people change their minds.
    hits = sorted((i for i, score in enumerate(scores) if score), key=lambda i: (-scores[i], -i))
    chosen: list[int] = []
    for hit in hits:
        # The reply often names things that the line itself does not.
        for index in (hit, hit + 1):
            if index < len(lines) and index not in chosen and len(chosen) < MAX_FOUND:
                chosen.append(index)
    return sorted(chosen)


def keywords(text: str) -> set[str]:
    """The stems of the meaningful words of a text."""
    words = re.findall(r"\w+", text.lower().replace("'s", ""))
    return {_stem(word) for word in words if word not in _STOP_WORDS}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
