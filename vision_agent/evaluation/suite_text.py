"""Adds a case to the text of a suite and keeps its comments and order. Pure."""

from __future__ import annotations

import textwrap

import yaml


class CaseNotAdded(ValueError):
    """No case can be added to the text; the error says why."""


def with_case(text: str, case: str, name: str) -> str:
    """Return the text of a suite with one more case at the end of its cases.

    Args:
        text: A suite; empty for a new one.
        case: The case as an item of a list, without indentation.
        name: Its name, which no other case of the suite may have.

    Raises:
        CaseNotAdded: The text is no suite, or its cases are not a list of lines.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CaseNotAdded(f"it is not YAML: {' '.join(str(error).split())}") from error
    lines = text.splitlines()
    if root is None:
        lines += ["cases:"]
        place, column = len(lines), 2
    else:
        if not isinstance(root, yaml.MappingNode) or root.flow_style:
            raise CaseNotAdded("it is not a suite: it has no keys in lines of their own")
        cases = next((value for key, value in root.value if key.value == "cases"), None)
        if cases is None:
            lines += ["", "cases:"]
            place, column = len(lines), 2
        elif not isinstance(cases, yaml.SequenceNode) or cases.flow_style or not cases.value:
            raise CaseNotAdded("its cases are not a list of lines that begin with '- '")
        elif any(name == _name_of(each) for each in cases.value):
            raise CaseNotAdded(f"it already has a case {name!r}")
        else:
            column = cases.start_mark.column
            place = _end_of(cases, lines, column)
    added = ["", *textwrap.indent(case, " " * column).rstrip("\n").split("\n")]
    if lines[place - 1].strip() == "cases:":
        added = added[1:]
    return end.join([*lines[:place], *added, *lines[place:]]) + end


def names_agents(text: str) -> bool:
    """Whether a suite's text names the agents that its cases call."""
    root = yaml.compose(text, yaml.SafeLoader)
    return isinstance(root, yaml.MappingNode) and any(
        key.value == "agents" for key, _ in root.value
    )


def _name_of(case: yaml.Node) -> str | None:
    if not isinstance(case, yaml.MappingNode):
        return None
    return next((str(value.value) for key, value in case.value if key.value == "name"), None)


def _end_of(cases: yaml.SequenceNode, lines: list[str], column: int) -> int:
    """The number of lines up to the end of the last case, its comments included."""
    last: yaml.Node = cases
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    place: int = last.end_mark.line + (last.end_mark.column > 0)
    while place > 0 and not lines[place - 1].strip():
        place -= 1
    end = place
    for number in range(place, len(lines)):
        line = lines[number]
        indented = len(line) - len(line.lstrip())
        if line.strip() and not (line.lstrip().startswith("#") and indented > column):
            break
        if line.strip():
            end = number + 1
    return end
