"""English words: counts, lists, articles. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.engine.language.vocabulary import plural

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(number: int, noun: str, several: str | None = None) -> str:
    """`two faces`, `one face`, `12 people`."""
    word = NUMBERS[number] if number < len(NUMBERS) else str(number)
    return f"{word} {noun if number == 1 else several or plural(noun)}"


def sentence(words: str) -> str:
    """The words as a sentence: a capital and a full stop."""
    return f"{words[0].upper()}{words[1:]}." if words else ""


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


_DETERMINERS = frozenset(
    """a an the my your our his her its their this that these those some any no every each
    anything something nothing everything anybody somebody nobody everybody anyone someone
    everyone""".split()  # noqa: SIM905
)

_UNCOUNTED = frozenset(
    """water milk coffee tea juice beer wine cream sugar salt flour bread butter cheese rice pasta
    meat food fruit hair fur grass snow ice rain sand dust smoke money wood metal plastic cloth
    furniture jewellery luggage rubbish soap toothpaste text writing""".split()  # noqa: SIM905
)


def with_article(thing: str) -> str:
    """`a bus`, `an apple`; names that have an article or an owner, and water, stay as they are."""
    first, head = thing.split(" ")[0], thing.split(" of ")[0].split(" ")[-1]
    if not thing or first in _DETERMINERS or first.endswith("'s") or head in _UNCOUNTED:
        return thing
    if first.endswith("s") and not first.endswith(("ss", "us")) and " " not in thing:
        return thing
    vowel = first[0] in "aeiou" and not first.startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel else 'a'} {thing}"
