"""The words by which the judge knows a name, a colour and a number."""

from __future__ import annotations

from pathlib import Path

import yaml

_WORDS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "vocabulary.yaml").read_text())

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
NUMBERS = {word: number for number, word in enumerate(_UNITS.split(" "))} | {
    "no": 0,
    "none": 0,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
}
THINGS = frozenset(_WORDS["things"].split())
COLOURS = frozenset(_WORDS["colours"].split())
GENERIC = COLOURS | frozenset(NUMBERS) | frozenset(_WORDS["generic"].split())
"""What can be said of anything without naming it."""
