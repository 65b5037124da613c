"""Whether a declared tool is plainly asked for, and with which arguments.

There is no understanding here: words are compared. So a tool is called only when next to nothing
else was said, and only when every argument it must have can be taken from the words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vision_agent.local.contract import CallTool
from vision_agent.local.intents import normalise

_LITTLE = frozenset(
    """a an and are at be by can could do does for from get give go have how i in is it its let me
    my of on or our out please shall should show so tell that the their them there this to us want
    was we what when where which who will with would you your now right""".split()  # noqa: SIM905
)
"""Words that every request has; they say nothing about which tool is meant."""

_ASKING = frozenset(
    """what when where which who how can could will would please tell show give get set turn
    start stop find look check call open close play make is are do does""".split()  # noqa: SIM905
)

_BEFORE_VALUE = ("in", "for", "of", "to", "about", "on", "at", "from", "named", "called")

_ENOUGH = 0.75
"""Part of the words said that the tool's own words must account for."""


def match_tool(text: str, tools: Sequence[Mapping[str, Any]]) -> CallTool | None:
    """The tool that is plainly asked for, if exactly one fits best.

    Args:
        text: What was said or typed.
        tools: Function declarations as in the setup message.
    """
    words = normalise(text).split()
    if not words or words[0] not in _ASKING:
        return None
    best: list[tuple[float, CallTool]] = []
    for tool in tools:
        fitting = _fit(words, tool)
        if fitting is not None:
            best.append(fitting)
    best.sort(key=lambda fitting: -fitting[0])
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return None
    return best[0][1]


def _fit(words: Sequence[str], tool: Mapping[str, Any]) -> tuple[float, CallTool] | None:
    schema = _schema(tool)
    arguments, rest = _arguments(words, schema)
    if arguments is None:
        return None
    name = _content(_split_name(str(tool.get("name", ""))))
    known = name | _content(normalise(str(tool.get("description", ""))).split())
    for argument in schema.get("properties") or {}:
        known |= _content(_split_name(argument))
    # "for 5 minutes": the parameter's name says what the number is.
    for parameter in schema.get("properties") or ():
        known |= _content(_split_name(str(parameter)))
    said = _content(rest)
    if not said or not (said & known):
        return None
    covered = len(said & known) / len(said)
    if covered < _ENOUGH:
        return None
    # Words of the name weigh more than words of the description.
    return covered + len(said & name), CallTool(str(tool["name"]), arguments)


def _arguments(
    words: Sequence[str], schema: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[str]]:
    """Values for the required arguments, and the words that are left; None if one is lacking."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    rest = list(words)
    arguments: dict[str, Any] = {}
    for name in schema.get("required") or ():
        kind = str((properties.get(name) or {}).get("type", "")).lower()
        taken = _number(rest, kind) if kind in ("integer", "number") else None
        if kind == "string":
            taken = _phrase(rest)
        if taken is None:
            return None, rest
        arguments[name], rest = taken
    return arguments, rest


def _number(words: list[str], kind: str) -> tuple[Any, list[str]] | None:
    for i, word in enumerate(words):
        if word.isdigit():
            value = int(word) if kind == "integer" else float(word)
            return value, words[:i] + words[i + 1 :]
    return None


def _phrase(words: list[str]) -> tuple[Any, list[str]] | None:
    for i in range(len(words) - 2, 0, -1):
        if words[i] in _BEFORE_VALUE:
            value = [w for w in words[i + 1 :] if w not in ("the", "please")]
            return (" ".join(value), words[:i]) if value else None
    return None


def _schema(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("parameters", "parameters_json_schema", "parametersJsonSchema"):
        if isinstance(tool.get(name), Mapping):
            schema: Mapping[str, Any] = tool[name]
            return schema
    return {}


def _split_name(name: str) -> list[str]:
    return re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").lower().split()


def _content(words: Sequence[str]) -> frozenset[str]:
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") else word
        for word in words
        if word not in _LITTLE
    )
