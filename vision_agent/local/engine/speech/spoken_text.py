"""Rewrites text that hibari's normaliser reads badly: addresses, versions, codes, long numbers.

hibari's normaliser reads times, dates, money, units, abbreviations and symbols. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# A number of seven digits or more is read out digit by digit, unless it is a round one.
_LONGEST_ROUND_NUMBER = 15
# A longer run of capitals in a code is read as a word.
_LONGEST_SPELT = 4

_EMPHASIS = re.compile(r"\*\*|__|`+|^\s*(?:#+|[-*\u2022])\s+", re.M)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_ADDRESS = re.compile(
    r"(?:(?:https?|ftp)://|www\.)[^\s<>\"]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:[a-z][\w-]*\.)+(?:ai|app|co|com|de|dev|edu|eu|fr|gov|info|io|me|net|org|tv|uk|us)\b"
    r"(?:/[^\s<>\"]*)?",
    re.I,
)
_NAMED_IN_ADDRESSES = {
    ".": "dot",
    "/": "slash",
    "@": "at",
    "-": "dash",
    "_": "underscore",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    ":": "colon",
    "%": "percent",
    "+": "plus",
    "~": "tilde",
}
_PRICE_BEFORE_CURRENCY = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d+)*)\s?([$\u20ac\u00a3])(?!\w|\s?\d)")
_DECIMAL_COMMA = re.compile(r"([$\u20ac\u00a3])(\d+),(\d{2})(?![\d,.])")
_VERSION = re.compile(r"(?<![\w.])(?:v|V(?=\d+\.\d))(\d+(?:\.\d+)*)(?!\w)")
_DOTTED = re.compile(r"(?<![\w.])\d+(?:\.\d+){2,}(?![\w])")
_HYPHENATED = re.compile(r"(?<![\w.-])(?!\d{4}-\d\d-\d\d(?![\w-]))\d+(?:-\d+){2,}(?![\w-])")
_DIGITS = re.compile(r"(?<![\w.,:/-])0\d+(?![\w.,:/-])|(?<![\w.,])\d{7,}(?![\w,])(?!\.\d)")
_CODE = re.compile(
    r"(?<![\w.,/'-])(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*(?!\w)"
)
_CODE_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Za-z][a-z]*|\d+|[-_]")
# Words with digits that are read unchanged: "3D", "4K", "5GB", "240V", "MP3", "iPhone15".
_NUMBER_AND_UNIT = re.compile(r"\d{1,6}(?:[A-Z]{1,2}|[kKMGT]?(?:B|Hz|W|V|A|Wh)|[kmcd]?m|[AP]M)")


def spoken(text: str) -> str:
    """Returns a text as hibari should read it.

    Args:
        text: A sentence or a part of one.
    """
    text = unicodedata.normalize("NFC", text)
    text = _LINK.sub(r"\1", text)
    text = _EMPHASIS.sub("", text)
    text = _PRICE_BEFORE_CURRENCY.sub(r"\2\1", text)
    text = _DECIMAL_COMMA.sub(r"\1\2.\3", text)
    text = _outside_addresses(text, _numbers)
    return "".join(_with_a_sound(letter) for letter in text).strip()


def _outside_addresses(text: str, change: Callable[[str], str]) -> str:
    parts, start = [], 0
    for address in _ADDRESS.finditer(text):
        # The full stop of the sentence is no part of it.
        said = address[0].rstrip(".,;:!?)'")
        end = address.start() + len(said)
        parts += [change(text[start : address.start()]), _address(said)]
        start = end
    return "".join([*parts, change(text[start:])])


def _address(address: str) -> str:
    address = re.sub(r"^(?:\w+://)?(?:www\.)?", "", address, flags=re.I).rstrip("/")
    parts = re.findall(r"[^\W_]+|[^\w\s]|_", address)
    return " ".join(_NAMED_IN_ADDRESSES.get(part, part) for part in parts)


def _numbers(text: str) -> str:
    text = _VERSION.sub(lambda found: "version " + found[1].replace(".", " point "), text)
    text = _DOTTED.sub(lambda found: found[0].replace(".", " dot "), text)
    text = _HYPHENATED.sub(lambda found: ", ".join(map(" ".join, found[0].split("-"))), text)
    text = _DIGITS.sub(lambda found: _digits(found[0]), text)
    return _CODE.sub(lambda found: _code(found[0]), text)


def _digits(number: str) -> str:
    """A number digit by digit, in groups of three; a round number unchanged."""
    if number[0] != "0" and number.endswith("000") and len(number) <= _LONGEST_ROUND_NUMBER:
        return number
    groups = [number[start : start + 3] for start in range(0, len(number), 3)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return ", ".join(" ".join(group) for group in groups)


def _code(code: str) -> str:
    """Letters one by one if they are capitals, and each number by itself."""
    if _NUMBER_AND_UNIT.fullmatch(code):
        return code
    long = sum(letter.isdigit() for letter in code) > 2
    said = []
    for part in _CODE_PART.findall(code):
        if part.isdigit():
            short = len(part) <= 2 and part[0] != "0"
            said.append(part if short else " ".join(part))
        elif part in "-_":
            said.append("," if long else "")
        elif part == "A":
            said.append("[A](/\u02c8A/)")  # in hibari's notation, as alone it is the article
        elif part.isupper() and len(part) <= _LONGEST_SPELT:
            said.append(".".join(part))
        else:
            said.append(part)
    return " ".join(said).replace(" ,", ",")


def _with_a_sound(letter: str) -> str:
    """The letter, or its base letter if hibari can't say it with its diacritics."""
    if "\u1e00" <= letter <= "\u1eff":
        return unicodedata.normalize("NFKD", letter)[0]
    return letter
