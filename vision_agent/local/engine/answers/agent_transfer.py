"""Transferring the conversation to another agent, as ADK lets a model do it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.contract import ToolRequest
from vision_agent.local.engine.answers.tool_schema import read_tool
from vision_agent.local.engine.answers.tool_words import find_words, split_name, stems
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.ways_of_asking import ways

_WAYS = ways("transfer")

_DESCRIBED = 0.5
"""Share of a question's words that an agent's description must hold."""


def agents(tools: Sequence[Mapping[str, Any]], instruction: str) -> dict[str, str]:
    """The agents that a call can be transferred to, and their descriptions."""
    declared = next((tool for tool in tools if tool.get("name") == adk_dialect.TRANSFER), None)
    if declared is None:
        return {}
    described = adk_dialect.described_agents(instruction)
    named = next(
        (p.choices for p in read_tool(declared).parameters if p.name == adk_dialect.TRANSFER_TO), ()
    ) or tuple(described)
    return {str(name): described.get(str(name), "") for name in named}


def transfer_by_name(
    text: str, tools: Sequence[Mapping[str, Any]], instruction: str
) -> ToolRequest | None:
    """The transfer to an agent that the caller names: "let me talk to the clock"."""
    known = agents(tools, instruction)
    asked = _asked_for(text, [*known, *_own_name(instruction)])
    return (
        ToolRequest(adk_dialect.TRANSFER, {adk_dialect.TRANSFER_TO: asked})
        if asked in known
        else None
    )


def greeting_if_asked_for(
    text: str, tools: Sequence[Mapping[str, Any]], instruction: str
) -> str | None:
    """A greeting, if the caller asks for the agent that already answers; otherwise None.

    This happens after every transfer by name: ADK replays the caller's words to the new agent.
    """
    own = _own_name(instruction)
    if not own or _asked_for(text, [*agents(tools, instruction), *own]) != own[0]:
        return None
    return f"{' '.join(split_name(own[0])).capitalize()} here. What can I do for you?"


def spoken_names(tools: Sequence[Mapping[str, Any]], instruction: str) -> tuple[str, ...]:
    """The spoken names of the other agents and of this one; empty if there are no others.

    Names with digits are left out, because their pronunciation is unknown.
    """
    known = agents(tools, instruction)
    if not known:
        return ()
    said = {" ".join(split_name(name)) for name in [*known, *_own_name(instruction)]}
    return tuple(sorted(name for name in said if re.fullmatch(r"[a-z]+( [a-z]+)*", name)))


def transfer_by_description(
    text: str, tools: Sequence[Mapping[str, Any]], instruction: str
) -> ToolRequest | None:
    """The transfer for a question that another agent's description matches better than ours."""
    known = agents(tools, instruction)
    asked = stems(normalise(text).split())
    if not known or not asked:
        return None
    own_share = _share(asked, adk_dialect.own_description(instruction))
    shares = sorted(
        (
            (_share(asked, f"{' '.join(split_name(name))} {text}"), name)
            for name, text in known.items()
        ),
        reverse=True,
    )
    best, name = shares[0]
    if best < _DESCRIBED or best <= own_share or (len(shares) > 1 and shares[1][0] == best):
        return None
    return ToolRequest(adk_dialect.TRANSFER, {adk_dialect.TRANSFER_TO: name})


def _own_name(instruction: str) -> list[str]:
    name = adk_dialect.own_name(instruction)
    return [name] if name else []


def _asked_for(text: str, names: Sequence[str]) -> str | None:
    """The one agent that a sentence asks to talk to, if any."""
    words = normalise(text).split()
    for way in _WAYS:
        at = find_words(words, way)
        if at is None:
            continue
        asked = words[at + len(way) :]
        hits = {name: _named(name, asked) for name in names}
        best = max(hits.values(), default=0.0)
        chosen = [name for name, share in hits.items() if share == best]
        if best >= 0.5 and len(chosen) == 1:
            return chosen[0]
    return None


def _named(name: str, words: Sequence[str]) -> float:
    """The share of an agent's name that the words hold."""
    wanted = split_name(name)
    return sum(word in words for word in wanted) / len(wanted) if wanted else 0.0


def _share(asked: frozenset[str], description: str) -> float:
    return len(asked & stems(normalise(description).split())) / len(asked)
