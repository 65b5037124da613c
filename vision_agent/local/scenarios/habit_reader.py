"""Reads the habits that a scenario changes; each value has the type that the table gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from vision_agent.local.api.habits import Habits
from vision_agent.local.scenarios.yaml_reader import YamlValue

_KINDS = get_type_hints(Habits)
_MOST = 10**6
_AT_LEAST_ONE = ("chunk_bytes", "chunk_cycle", "caption_words")


def read_habits(value: YamlValue) -> Mapping[str, Any]:
    """The habits by name.

    Raises:
        ScenarioError: There is no such habit, or it can't have that value.
    """
    given = value.fields(tuple(_KINDS))
    return {name: _read(held, _KINDS[name], name) for name, held in given.items()}


def _read(value: YamlValue, kind: Any, name: str) -> Any:
    if kind is bool:
        return value.flag()
    if kind is int:
        return value.count(1 if name in _AT_LEAST_ONE else 0, _MOST)
    if kind is str:
        return value.text()
    if get_origin(kind) is Literal:
        return value.choice(*get_args(kind))
    if get_origin(kind) is tuple:
        return _read_list(value, get_args(kind), name)
    return value.number(0.01, _MOST)


def _read_list(value: YamlValue, kinds: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    items = value.items()
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(items)
    elif len(items) != len(kinds):
        raise value.wrong(f"a list of {len(kinds)}")
    if not items and name in _AT_LEAST_ONE:
        raise value.wrong("a list of at least one")
    return tuple(_read(item, kind, name) for item, kind in zip(items, kinds, strict=True))
