"""Splits text into sentences while it is being written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vision_agent.local.brain.spoken_text import spoken
from vision_agent.local.contract import Say

LONGEST = 400
"""Characters after which a sentence without an end is cut at a pause."""

_FENCE = "```"

_END = re.compile(
    r"(?P<wide>[\u3002\uff01\uff1f\uff0e]+[\u300d\u300f\uff09\u201d]*)"
    r"|(?P<mark>[.!?\u2026\u061f\u0964]+)(?P<close>[\"'\u201d\u2019)\]*_`]*)(?=\s)"
)
_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof rev gen col lt sgt capt st mt vs e.g i.e cf eg ie viz ca approx pp ed eds
    dept univ est tel ext max min misc bzw z.b d.h u.a str evtl ggf hr fr sra srta mme mlle
    """.split()  # noqa: SIM905
)
"""Abbreviations after which a full stop never ends a sentence."""

_BEFORE_NUMBERS = frozenset(("no", "nos", "nr", "vol", "fig", "figs", "p", "art", "ch"))
"""Abbreviations after which a full stop does not end a sentence if a number follows."""

_BEFORE_CAPITALS = frozenset(
    """etc inc ltd co corp jr sr a.m p.m u.s u.k u.n e.u ph.d b.c a.d usw
    """.split()  # noqa: SIM905
)
"""Abbreviations after which a full stop ends a sentence if a capital follows."""

_MARKER = re.compile(r"^\s*(?:[-*+\u2022]\s+)?[\[(]?(?:\d{1,3}|[a-zA-Z])$")
"""The number or letter of a list's item, up to its stop."""


class Sentences:
    """Splits text piece by piece; the results, joined, are the text.

    A sentence includes the space in front of it. A new line ends a sentence, and text between code
    fences is one that is not spoken.
    """

    def __init__(self) -> None:
        self._text = ""

    def feed(self, text: str) -> Iterator[Say]:
        """The sentences that are complete now."""
        self._text += text
        while (end := _end(self._text)) is not None:
            sentence, self._text = self._text[:end], self._text[end:]
            yield from _said(sentence)

    def end(self) -> Iterator[Say]:
        """The rest, at the end of the text."""
        rest, self._text = self._text, ""
        yield from _said(rest)


def _said(sentence: str) -> Iterator[Say]:
    sentence = sentence.rstrip()
    if sentence.strip():
        words = "" if sentence.lstrip().startswith(_FENCE) else spoken(sentence)
        yield Say(sentence, None if words == sentence else words)


def _end(text: str) -> int | None:
    """The end of the first sentence; None if it is not known yet."""
    begin = len(text) - len(text.lstrip())
    if text.startswith(_FENCE, begin):
        closing = text.find(_FENCE, begin + len(_FENCE))
        return closing + len(_FENCE) if closing >= 0 else None
    line = text.find("\n", begin)
    fence = text.find(_FENCE, begin)
    limit = min((at for at in (line, fence) if at >= 0), default=len(text))
    for found in _END.finditer(text, begin):
        if found.end() > limit:
            break
        if found["wide"] or _ends_here(text[begin : found.start()], found, text):
            return found.end()
    if limit < len(text):
        return limit
    if len(text) - begin > LONGEST:
        return _pause(text, begin)
    return None


def _ends_here(before: str, found: re.Match[str], text: str) -> bool:
    if found["mark"] != ".":
        return found["mark"][-1] in "!?" or not _next_letter(text, found.end()).islower()
    if "\n" not in before and _MARKER.match(before):
        return False
    word = re.split(r"[\s(\[\"'\u201c\u2018*_]", before)[-1].lower()
    following = _next_letter(text, found.end())
    if word in _BEFORE_CAPITALS:
        return following.isupper()
    if word in _BEFORE_NUMBERS:
        return bool(following) and not following.isdigit()
    if word in _ABBREVIATIONS or re.fullmatch(r"(?:[^\W\d_]\.)*[^\W\d_]", word):
        # "J. S. Bach" and "z. B."; but "so do I." ends.
        return word == "i" and not following.islower()
    return not following.islower()


def _next_letter(text: str, at: int) -> str:
    return text[at:].lstrip()[:1]


def _pause(text: str, begin: int) -> int:
    """The place to cut a sentence that is too long: at a comma, at a space, or anywhere."""
    window = text[begin : begin + LONGEST]
    for mark in (r"[;:,\u2014\u3001\uff0c]", r"(?=\s)"):
        cuts = [found.end() for found in re.finditer(mark, window) if found.end() > LONGEST // 4]
        if cuts:
            return begin + cuts[-1]
    return begin + LONGEST
