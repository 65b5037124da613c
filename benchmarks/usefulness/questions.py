"""The questions and the photographs they are asked about, as `questions.yaml` has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph that a package ships, or a moment of a video.

    Attributes:
        package: Who ships it; `photographs.py` knows where its files are.
        file: Its path below that place.
        holds: What can truly be named in it, as a regular expression.
        colours: The colours in it, as a regular expression.
        at_s: The moment of a video, in seconds.
    """

    package: str
    file: str
    holds: str
    colours: str
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What is shown, and what is said to it, if anything."""

    show: str
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and how its answer is judged; `questions.yaml` describes the fields."""

    kind: str
    by: str
    show: str
    ask: str
    before: tuple[Step, ...] = ()
    then_show: str | None = None
    right: tuple[str, ...] = ()
    at_least: int = 0
    untrue: tuple[str, ...] = ()
    count: int | None = None
    about: int = 0
    clock: bool = False
    date: bool = False
    negative: bool = False

    @property
    def asked(self) -> list[str]:
        """All that the person says."""
        return [*(step.ask for step in self.before if step.ask), self.ask]

    @property
    def shows(self) -> list[str]:
        """All photographs that the camera shows, in order."""
        later = [self.then_show] if self.then_show else []
        return [*(step.show for step in self.before), self.show, *later]


def read(file: Path = HERE / "questions.yaml") -> tuple[dict[str, Photograph], list[Question]]:
    """Read a set: its photographs by name, and its questions."""
    data: dict[str, Any] = yaml.safe_load(file.read_text())
    photographs = {name: Photograph(**fields) for name, fields in data["photographs"].items()}
    questions = []
    for fields in data["questions"]:
        fields["before"] = tuple(Step(**step) for step in fields.get("before", ()))
        for name in ("right", "untrue"):
            fields[name] = tuple(fields.get(name, ()))
        questions.append(Question(**fields))
    return photographs, questions
