"""The taught names that the recogniser listens for: those of the most recent users. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from vision_agent.local.engine.language.phrase_rules import COLOURS
from vision_agent.local.engine.language.vocabulary import NOUNS

MOST_USERS = 8
"""One recogniser serves all users; the names of the least recent user are dropped."""


class TaughtNames:
    """The names of taught things, by user."""

    def __init__(self) -> None:
        self._by_user: OrderedDict[str, frozenset[str]] = OrderedDict()

    def record(self, user: str, names: Sequence[str]) -> None:
        """A user has taught these names, and no others."""
        self._by_user[user] = frozenset(name for name in names if _needs_listening(name))
        self._by_user.move_to_end(user)
        while len(self._by_user) > MOST_USERS:
            self._by_user.popitem(last=False)

    @property
    def known(self) -> tuple[str, ...]:
        """The names that the grammar needs besides the vocabulary, sorted."""
        return tuple(sorted(frozenset().union(*self._by_user.values())))


def _needs_listening(name: str) -> bool:
    """Whether the vocabulary does not hold a name already; digits have no pronunciation here."""
    words = name.split()
    if not words or not all(word.isalpha() and word.isascii() for word in words):
        return False
    *before, noun = words
    return not (noun in NOUNS and all(word in COLOURS for word in before[:1]) and len(before) < 2)
