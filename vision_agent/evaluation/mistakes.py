"""Mistakes in a suite file, in words and with their positions. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vision_agent.evaluation.marked_yaml import MarkedYaml

_MAX_PROBLEMS = 20
_WORDS = {
    "missing": "is missing",
    "bool_type": "has to be true or false",
    "int_type": "has to be a whole number",
    "float_type": "has to be a number",
    "string_type": "has to be text",
    "dict_type": "has to be a mapping",
}


class SuiteError(ValueError):
    """A suite is not valid. The text has a line for each mistake: file, line, column, words."""


def mistakes_in_words(path: Path, marked: MarkedYaml, error: ValidationError) -> str:
    """Return a line for each mistake: file, line, column, words. Of many, the first ones."""
    lines: list[str] = []
    problems = error.errors(include_url=False, include_input=True)
    for problem in problems[:_MAX_PROBLEMS]:
        place: Sequence[int | str] = problem["loc"]
        context = problem.get("ctx", {})
        inner = context.get("path", ())
        line, column, steps = marked.position([*place, *inner])
        missing = problem["type"] == "missing"
        # A short form has fewer keys.
        place = place if missing else [*place, *inner][:steps]
        key = next((str(step) for step in reversed(place) if isinstance(step, str)), "")
        words = context["words"] if problem["type"] == "suite" else _worded(problem)
        if place and isinstance(place[-1], int):
            subject = f"item {place[-1] + 1} of '{key}' "
        else:
            subject = f"'{key}' " if key else ""
        is_predicate = words.startswith(("has ", "is ", "needs "))
        said = subject + words if is_predicate or not subject else f"{subject.rstrip()}: {words}"
        if words.startswith("'"):
            said = words
        lines.append(f"{path}:{line}:{column}: {said.rstrip('.')}.")
    if len(problems) > _MAX_PROBLEMS:
        lines.append(f"{path}: and {len(problems) - _MAX_PROBLEMS} further mistakes.")
    return "\n".join(lines)


def _worded(problem: Any) -> str:
    words = _WORDS.get(problem["type"])
    if words is None:
        words = re.sub(r"^(Input|Tuple|Value|String) should", "has to", problem["msg"])
    given = problem["input"]
    if problem["type"] == "missing" or isinstance(given, dict | list | tuple):
        return words
    shown = getattr(given, "written", None) or repr(given)
    return f"{words}, not {shown[:80]}"
