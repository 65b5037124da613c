"""YAML as plain data, with the position of each value.

Scalars follow the core schema of YAML 1.2: only `true` and `false` are truth values, so that `on`
is a key and `said: no` a word, and `1:20` is a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import yaml

_MAX_DEPTH = 30
# Aliases can make a small file large.
_MAX_VALUES = 1_000_000
_LONGEST_NUMBER = 40

_CORE = {
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader with the resolvers of the core schema."""

    yaml_implicit_resolvers: ClassVar[dict[Any, Any]] = {}


for _kind, (_pattern, _first) in _CORE.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}",
        re.compile(rf"(?:{_pattern})$"),
        ["" if char == "\0" else char for char in _first],
    )


class WrittenInt(int):
    """A whole number that keeps its spelling, such as `0123`."""

    written: str


class WrittenFloat(float):
    """A number that keeps its spelling, such as `3.10`."""

    written: str


class NotYaml(ValueError):
    """A text is not a usable YAML document.

    Attributes:
        line: From 1.
        column: From 1.
    """

    def __init__(self, words: str, line: int = 1, column: int = 1) -> None:
        super().__init__(words)
        self.line = line
        self.column = column


class MarkedYaml:
    """The one document of a text.

    Args:
        text: The YAML.

    Attributes:
        data: The document as str, numbers, bool, None, lists and dicts.

    Raises:
        NotYaml: It is not one YAML document, has a key twice, or is nested too deeply.
    """

    def __init__(self, text: str) -> None:
        self._left = _MAX_VALUES
        self._root = _compose(text)
        self.data = self._plain(self._root, 0)

    def position(self, path: Sequence[str | int]) -> tuple[int, int, int]:
        """Return the line and the column, from 1, of the value at a path.

        The position of a value in a mapping is that of its key.

        Returns:
            Line, column, and how many steps of the path the document has. A path that it lacks has
            the position of its longest part that exists.
        """
        steps = 0
        node, mark = self._root, self._root.start_mark
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == step), None)
                if pair is None:
                    break
                mark, node = pair[0].start_mark, pair[1]
            elif isinstance(node, yaml.SequenceNode):
                if not isinstance(step, int) or step >= len(node.value):
                    break
                node = node.value[step]
                mark = node.start_mark
            else:
                break
            steps += 1
        return mark.line + 1, mark.column + 1, steps

    def _plain(self, node: yaml.Node, depth: int) -> Any:
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            words = "nested too deeply" if depth > _MAX_DEPTH else "too many values"
            raise _at(node.start_mark, words)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            entries: dict[str, Any] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise _at(key.start_mark, "a key has to be a word")
                if key.value in entries:
                    raise _at(key.start_mark, f"'{key.value}' is given twice")
                entries[key.value] = self._plain(value, depth + 1)
            return entries
        return _scalar(node)


def _compose(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = f"not YAML: {error.problem or error.context}"
        raise (_at(mark, words) if mark else NotYaml(words)) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        words = " ".join(str(error).split())
        raise NotYaml(f"not YAML: {words}") from None
    if root is None:
        raise NotYaml("the file is empty")
    return root


def _at(mark: yaml.Mark, words: str) -> NotYaml:
    return NotYaml(words, mark.line + 1, mark.column + 1)


def _scalar(node: yaml.Node) -> Any:
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float") and len(text) <= _LONGEST_NUMBER:
        try:
            number = WrittenInt(text) if kind == "int" else WrittenFloat(text)
        except ValueError:  # tagged by hand
            return text
        number.written = text
        return number
    return text
