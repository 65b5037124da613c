"""The tables of docs/local-live-api.md, read from the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "local-live-api.md"


@dataclass(frozen=True)
class Row:
    """One field: what the page says of it, and with which value in which setup."""

    path: str
    verdict: str
    value: Any = None
    setup: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Refusal:
    """What is sent, to which address, and how the connection ends."""

    what: str
    sent: list[str]
    code: int
    words: str

    def __str__(self) -> str:
        return self.what


def cells(section: str) -> Iterator[list[str]]:
    """The rows of the tables in a section, without their heads."""
    for line in section.splitlines():
        if line.startswith("| ") and not line.startswith(("| field", "| what")):
            yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def section(title: str) -> str:
    after = PAGE.read_text().split(f"## {title}\n")[1]
    return after.split("\n## ")[0]


def fields() -> list[Row]:
    """Every field of the page, in its order."""
    rows = []
    for part in section("Every message and every field").split("\n### ")[1:]:
        heading = part.splitlines()[0]
        prefix = "".join(f"{path}." for path in spans(heading))
        for row in cells(part):
            names, verdict = spans(row[0]), row[1].rstrip("|").strip()
            tried, _, context = (row[2] if prefix else "").partition(" with ")
            values = [json.loads(value) for value in spans(tried)] or [None] * len(names)
            setup = json.loads(spans(context)[0]) if context else {}
            for name, value in zip(names, values, strict=True):
                rows.append(Row(prefix + name, verdict, value, setup))
    return rows


def refusals() -> list[Refusal]:
    rows = cells(section("What is refused, and how"))
    return [Refusal(what, spans(sent), int(code), words) for what, sent, code, words in rows]
