"""YAML with line numbers: the values of a scenario file, read key by key and checked."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import yaml

_MAX_DEPTH = 20


class ScenarioError(ValueError):
    """A scenario file is not valid; the text names the file and the line."""


class YamlValue:
    """One value of the file and its position.

    Args:
        file: The file's name, for errors.
        line: The line of the value, from 1.
        key: The key of the value, for errors.
        data: A scalar, a list of `YamlValue`, or a dict of `YamlValue`.
    """

    def __init__(self, file: str, line: int, key: str, data: Any) -> None:
        self._file = file
        self._line = line
        self._key = key
        self.data = data

    def error(self, words: str) -> ScenarioError:
        """An error with this text at this value."""
        return ScenarioError(f"{self._file}, line {self._line}: {words}")

    def wrong(self, wanted: str) -> ScenarioError:
        """An error that this value is not what its key requires."""
        got = repr(self.data)
        if isinstance(self.data, dict | list):
            got = "a mapping" if isinstance(self.data, dict) else "a list"
        return self.error(f"'{self._key}' has to be {wanted}, not {got}.")

    def number(self, low: float, high: float, words: dict[str, float] | None = None) -> float:
        """A number in a range, or a word that stands for a number."""
        value = self.data
        if isinstance(value, str) and words and value in words:
            return words[value]
        also = "".join(f" or '{word}'" for word in words or ())
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise self.wrong(f"a number from {low:g} to {high:g}{also}")
        return float(value)

    def count(self, low: int, high: int) -> int:
        """A whole number in a range."""
        value = self.data
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(f"a whole number from {low} to {high}")
        return value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.data, bool):
            raise self.wrong("true or false")
        return self.data

    def text(self) -> str:
        """A string."""
        if not isinstance(self.data, str):
            raise self.wrong("text (in quotes, if YAML reads it as something else)")
        return self.data

    def choice(self, *choices: str) -> str:
        """One of the given words."""
        if not isinstance(self.data, str) or self.data not in choices:
            raise self.wrong(" or ".join(f"'{choice}'" for choice in choices))
        return self.data

    def items(self) -> list[YamlValue]:
        """The items of a list; any other value counts as a list of one item."""
        if isinstance(self.data, list):
            return self.data
        return [self]

    def plain(self) -> Any:
        """The value without line numbers: str, int, float, bool, None, list, dict."""
        if isinstance(self.data, list):
            return [item.plain() for item in self.data]
        if isinstance(self.data, dict):
            return {key: item.plain() for key, item in self.data.items()}
        return self.data

    def fields(self, keys: Sequence[str]) -> dict[str, YamlValue]:
        """The entries of a mapping, which may have these keys and no others.

        An empty entry counts as absent.
        """
        if not isinstance(self.data, dict):
            raise self.wrong(f"a mapping (of {', '.join(keys)})" if self._key else "a mapping")
        for key, value in self.data.items():
            if key not in keys:
                close = difflib.get_close_matches(str(key), keys, 1, 0.5)
                hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(keys)}."
                raise value.error(f"'{key}' is not known here; {hint}")
        return {key: value for key, value in self.data.items() if value.data is not None}


def read_yaml(text: str, file: str) -> YamlValue:
    """The one YAML document of a file.

    Raises:
        ScenarioError: The text is not one YAML document, or has a key twice.
    """
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScenarioError(f"{file}, line {line}: not YAML: {error.reason}.") from None
    try:
        node = loader.get_single_node()
        if node is None:
            raise ScenarioError(f"{file}, line 1: the file is empty.")
        return _value(loader, node, file, "", 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ScenarioError(f"{file}, line {line}: not YAML: {error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"{file}: not YAML: {' '.join(str(error).split())}.") from None
    finally:
        loader.dispose()


def _value(loader: Any, node: yaml.Node, file: str, key: str, depth: int) -> YamlValue:
    line = node.start_mark.line + 1
    if depth > _MAX_DEPTH:
        raise ScenarioError(f"{file}, line {line}: nested too deeply.")
    if isinstance(node, yaml.SequenceNode):
        items = [_value(loader, item, file, key, depth + 1) for item in node.value]
        return YamlValue(file, line, key, items)
    if isinstance(node, yaml.MappingNode):
        entries: dict[Any, YamlValue] = {}
        for key_node, value_node in node.value:
            name = loader.construct_object(key_node) if key_node.id == "scalar" else None
            at = key_node.start_mark.line + 1
            if not isinstance(name, str):
                raise ScenarioError(f"{file}, line {at}: a key has to be a word.")
            if name in entries:
                raise ScenarioError(f"{file}, line {at}: '{name}' is given twice.")
            entries[name] = _value(loader, value_node, file, name, depth + 1)
            # A value may begin on a later line than its key, but users look for the key.
            entries[name]._line = at
        return YamlValue(file, line, key, entries)
    return YamlValue(file, line, key, loader.construct_object(node))
