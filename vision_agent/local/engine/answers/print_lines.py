"""Which lines of a printed text answer a question: a receipt's total, an expiry date. Pure."""

from __future__ import annotations

import re

_MONEY = r"\d+[.,]\d{2}\b"
_TOTAL = re.compile(r"\b(total|amount due|balance due|to pay|sum|amount|price)\b", re.I)
_PRICE = re.compile("[$\N{EURO SIGN}\N{POUND SIGN}]\\s?\\d|" + _MONEY, re.I)
_EXPIRY = re.compile(
    r"\b(exp|expiry|expires?|expiration|best before|best by|bbe?|use by|sell by|good until|mhd"
    r"|valid (until|thru|to))\b",
    re.I,
)
_SMALL = frozenset({"the", "a", "an", "my", "this", "that", "these", "those", "of", "it"})
_DATE = re.compile(
    r"\b\d{1,4}[./-]\d{1,4}([./-]\d{2,4})?\b|"
    r"\b(\d{1,2} ?)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* ?\d{2,4}\b",
    re.I,
)


def total_in(lines: list[str]) -> list[str]:
    """The line with the total, or otherwise the lines with a price if these are few."""
    named = [
        _with_next(lines, at, re.compile(_MONEY))
        for at, line in enumerate(lines)
        if _TOTAL.search(line) and not re.search(r"sub\s?-?total", line, re.I)
    ]
    if named:
        # The grand total comes last.
        return named[-1:]
    priced = [line for line in lines if _PRICE.search(line)]
    return priced if len(priced) <= 3 else []


def expiry_in(lines: list[str]) -> list[str]:
    """The lines with an expiry date, or otherwise the only date; empty if there is none."""
    named = [_with_next(lines, at, _DATE) for at, line in enumerate(lines) if _EXPIRY.search(line)]
    if named:
        return named
    dated = [line for line in lines if _DATE.search(line)]
    return dated if len(dated) == 1 else []


def lines_about(thing: str, lines: list[str]) -> list[str]:
    """The lines that name a thing: "the milk" on a receipt."""
    wanted = {word.rstrip("s") for word in thing.split() if word not in _SMALL}
    return [
        line
        for line in lines
        if wanted & {word.rstrip("s") for word in re.findall(r"[a-z]+", line.lower())}
    ]


def _with_next(lines: list[str], at: int, wanted: re.Pattern[str]) -> str:
    """A line, joined with the next one if the announced value is only there."""
    line = lines[at]
    if not wanted.search(line) and at + 1 < len(lines) and wanted.search(lines[at + 1]):
        return f"{line} {lines[at + 1]}"
    return line
