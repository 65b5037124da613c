"""The comparable part of a conversation, and how two servers differ in it.

Kinds whose time differs between servers (captions, transcripts, handles, token counts) count only
as present or absent, `beside` the sequence; the order of all others counts. Repetitions in a row
do not count, because servers cut sound into different pieces.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ORDERED = (
    "audio",
    "text",
    "tool_call",
    "tool_call_cancellation",
    "interrupted",
    "generation_complete",
    "turn_complete",
)

BESIDE = ("caption", "heard", "usage_metadata", "session_resumption_update")

Outcome = dict[str, dict[str, Any]]
"""For each scene, its ``sequence`` and the kinds ``beside`` it, or how it was ``refused``."""


@dataclass(frozen=True)
class Scene:
    """The outcome of one scene."""

    sequence: tuple[str, ...] = ()
    beside: frozenset[str] = frozenset()
    refused: tuple[int, str] | None = None

    @classmethod
    def of_kinds(cls, kinds: Iterable[str]) -> Scene:
        """Make a scene of the kinds of its messages' parts (`live_talk.kinds`)."""
        sequence: list[str] = []
        beside = set()
        for kind in kinds:
            if kind in BESIDE:
                beside.add(kind)
            elif kind in ORDERED and sequence[-1:] != [kind]:
                sequence.append(kind)
        return cls(tuple(sequence), frozenset(beside))

    @classmethod
    def of_json(cls, scene: dict[str, Any]) -> Scene:
        """Make a scene of `as_json`'s result."""
        if "refused" in scene:
            code, words = scene["refused"]
            return cls(refused=(code, words))
        return cls(tuple(scene["sequence"]), frozenset(scene["beside"]))

    def as_json(self) -> dict[str, Any]:
        """The scene as JSON, for a file."""
        if self.refused:
            return {"refused": list(self.refused)}
        return {"sequence": list(self.sequence), "beside": sorted(self.beside)}


def differences(expected: dict[str, Scene], actual: dict[str, Scene]) -> list[str]:
    """How ``actual`` differs from ``expected``: the lines of a diff, scene by scene.

    The words of a refusal only have to contain the expected ones.
    """
    lines: list[str] = []
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual or name not in expected:
            lines.append(f"{name}: {'missing' if name not in actual else 'not expected'}")
            continue
        wanted, got = expected[name], actual[name]
        if wanted.refused and got.refused and wanted.refused[0] == got.refused[0]:
            if wanted.refused[1] in got.refused[1]:
                continue
        elif wanted == got:
            continue
        diff = difflib.unified_diff(_lines(wanted), _lines(got), "expected", "actual", lineterm="")
        lines += [f"{name}:", *(f"  {line}" for line in list(diff)[2:])]
    return lines


def _lines(scene: Scene) -> list[str]:
    if scene.refused:
        return [f"refused {scene.refused[0]}: {scene.refused[1]}"]
    return [*scene.sequence, *(f"({kind})" for kind in sorted(scene.beside))]
