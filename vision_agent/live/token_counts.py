"""Tokens that a model's service has counted: by kind and modality. Pure.

A service reports them once a turn, usually in the message that ends it; 3.1 also reports the prompt
alone when a turn begins. A report is of one turn: its prompt is all that the model has read for it,
earlier turns included, and that is what is charged for, so reports of turns are added, and of
several reports of one turn the largest counts hold. Counts may be missing, and the modalities may
add up to less than a total: the rest is counted as `unspecified`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from google.genai import types

Kind = Literal["prompt", "tool", "response", "thoughts"]
"""What the model read (`tool`: results of tools that run at the service), said, and thought."""

UNSPECIFIED = "unspecified"
MAX_MODELS = 20
"""Models whose tokens are counted apart in one call; an agent tree has a few."""


class _Usage(Protocol):
    prompt_token_count: int | None
    candidates_token_count: int | None
    thoughts_token_count: int | None
    tool_use_prompt_token_count: int | None
    prompt_tokens_details: list[types.ModalityTokenCount] | None
    candidates_tokens_details: list[types.ModalityTokenCount] | None
    tool_use_prompt_tokens_details: list[types.ModalityTokenCount] | None


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens by kind and modality (`text`, `audio`, `image`, `video`, …); none are left out."""

    of: Mapping[tuple[Kind, str], int] = field(default_factory=dict)

    def __add__(self, other: TokenCounts) -> TokenCounts:
        keys = self.of.keys() | other.of.keys()
        return TokenCounts({key: self.of.get(key, 0) + other.of.get(key, 0) for key in keys})

    def __bool__(self) -> bool:
        return any(self.of.values())

    def __iter__(self) -> Iterator[tuple[Kind, str, int]]:
        for (kind, modality), count in sorted(self.of.items()):
            if count:
                yield kind, modality, count

    def total(self, *kinds: Kind) -> int:
        """The tokens of some kinds."""
        return sum(count for kind, _, count in self if kind in kinds)

    def by_modality(self, kind: Kind) -> dict[str, int]:
        """The tokens of one kind."""
        return {modality: count for each, modality, count in self if each == kind}

    def or_larger(self, other: TokenCounts) -> TokenCounts:
        """Of each kind the report with the larger total: two reports of one turn."""
        kinds: tuple[Kind, ...] = ("prompt", "tool", "response", "thoughts")
        merged: dict[tuple[Kind, str], int] = {}
        for kind in kinds:
            larger = other if other.total(kind) >= self.total(kind) else self
            merged |= {(kind, name): count for name, count in larger.by_modality(kind).items()}
        return TokenCounts(merged)


def counted(usage: _Usage) -> TokenCounts:
    """The tokens of one report, as ADK passes it on."""
    found: dict[tuple[Kind, str], int] = {}
    _add(found, "prompt", usage.prompt_token_count, usage.prompt_tokens_details)
    _add(
        found,
        "tool",
        usage.tool_use_prompt_token_count,
        usage.tool_use_prompt_tokens_details,
    )
    _add(found, "response", usage.candidates_token_count, usage.candidates_tokens_details)
    if usage.thoughts_token_count:
        found["thoughts", "text"] = max(0, usage.thoughts_token_count)
    return TokenCounts(found)


def _add(
    found: dict[tuple[Kind, str], int],
    kind: Kind,
    total: int | None,
    details: Sequence[types.ModalityTokenCount] | None,
) -> None:
    known = 0
    for detail in details or ():
        if (count := detail.token_count or 0) > 0:
            name = detail.modality.value.lower() if detail.modality else UNSPECIFIED
            name = UNSPECIFIED if name == "modality_unspecified" else name
            found[kind, name] = found.get((kind, name), 0) + count
            known += count
    if (rest := (total or 0) - known) > 0:
        found[kind, UNSPECIFIED] = found.get((kind, UNSPECIFIED), 0) + rest


class TokenMeter:
    """The tokens of one call, by model."""

    def __init__(self) -> None:
        self.by_model: dict[str, TokenCounts] = {}
        self._turn: dict[str, TokenCounts] = {}

    def report(self, model: str, counts: TokenCounts) -> None:
        """Take a report of the present turn."""
        if counts and (model in self._turn or len(self._turn) < MAX_MODELS):
            self._turn[model] = self._turn.get(model, TokenCounts()).or_larger(counts)

    def end_turn(self) -> dict[str, TokenCounts]:
        """Count the turn, which is over; returns what it has added, by model."""
        turn, self._turn = self._turn, {}
        for model, counts in turn.items():
            if model in self.by_model or len(self.by_model) < MAX_MODELS:
                self.by_model[model] = self.by_model.get(model, TokenCounts()) + counts
        return turn
