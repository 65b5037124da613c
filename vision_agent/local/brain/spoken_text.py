"""The spoken form of written text, without markup, code, addresses and emoji. Pure."""

from __future__ import annotations

import re
import unicodedata

_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\((?:[^()]|\([^)]*\))*\)")
_URL = re.compile(r"<?\b(?:https?://|www\.)([^\s/<>?#]+)[^\s<>]*?(?=[.,;:!?)]*(?:[\s<>]|$))>?")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_HEAD = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+\u2022\u25aa\u2013]\s+(?:\[[ xX]\]\s+)?)+")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_STARS = re.compile(r"\*{2,}|~~|`+")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^[\s|:*_=-]+$")
_UNSPOKEN = frozenset(("So", "Sk", "Cs", "Co", "Cn", "Cf"))
"""Unicode's categories of emoji and other pictographs, and of their joiners."""

_SPOKEN_SYMBOLS = frozenset("\u00b0\u00a9\u00ae\u2122")


def spoken(text: str) -> str:
    """The words of one sentence or line; empty if there is nothing to say."""
    if _RULE.match(text):
        return ""
    if _ROW.match(text):
        text = ", ".join(cell.strip() for cell in text.strip().strip("|").split("|"))
    text = _HEAD.sub("", text)
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _TAG.sub(" ", _URL.sub(r"\1", text))
    while (plain := _EMPHASIS.sub(r"\2", text)) != text:
        text = plain
    text = _STARS.sub("", text)
    text = "".join(letter for letter in text if _is_spoken(letter))
    text = re.sub(r"\s+([.,;:!?])", r"\1", " ".join(text.split()))
    return text if any(letter.isalnum() for letter in text) else ""


def _is_spoken(letter: str) -> bool:
    if letter in _SPOKEN_SYMBOLS:
        return True
    # Variation selectors and the keycap make emoji of other characters.
    if letter in "\ufe0e\ufe0f\u20e3":
        return False
    return unicodedata.category(letter) not in _UNSPOKEN
