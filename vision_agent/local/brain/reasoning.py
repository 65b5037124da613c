"""Separates a language model's answer from its thoughts, and from calls written as text. Pure.

Servers usually remove both from the answer. If one does not, the answer contains the model's own
marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["answer", "thought", "call"]

_PAIRS: tuple[tuple[str, str, Kind], ...] = (
    ("<think>", "</think>", "thought"),
    ("<thinking>", "</thinking>", "thought"),
    ("[THINK]", "[/THINK]", "thought"),
    ("<|channel|>analysis<|message|>", "<|end|>", "thought"),
    ("<tool_call>", "</tool_call>", "call"),
)

_ALONE = (
    *(closing for _, closing, _ in _PAIRS),
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
    "<|im_end|>",
    "<|eot_id|>",
)
"""Marks without a meaning of their own, which are left out."""

_OPENING = {opening: (closing, kind) for opening, closing, kind in _PAIRS}


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of the model's text."""

    kind: Kind
    text: str


class Reasoning:
    """Separates a stream of text; a mark may be spread over any number of pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""
        self._kind: Kind = "answer"
        self._call = ""

    def feed(self, text: str) -> Iterator[Written]:
        """The pieces that are certain now; a call comes as a whole."""
        self._held += text
        while self._held:
            marks = (self._closing,) if self._closing else (*_OPENING, *_ALONE)
            at, mark = min(
                ((self._held.find(mark), mark) for mark in marks if mark in self._held),
                key=lambda found: (found[0], -len(found[1])),
                default=(-1, ""),
            )
            if at < 0:
                keep = _begun(self._held, marks)
                piece, self._held = self._held[: len(self._held) - keep], self._held[-keep:]
                if not keep:
                    self._held = ""
                yield from self._piece(piece)
                return
            yield from self._piece(self._held[:at])
            self._held = self._held[at + len(mark) :]
            yield from self._turn(mark)

    def end(self) -> Iterator[Written]:
        """The pieces that were held back, at the end of the text."""
        held, self._held = self._held, ""
        yield from self._piece(held)
        if self._kind == "call":
            yield from self._turn(self._closing)

    def _piece(self, text: str) -> Iterator[Written]:
        if self._kind == "call":
            self._call += text
        elif text:
            yield Written(self._kind, text)

    def _turn(self, mark: str) -> Iterator[Written]:
        if self._kind == "call" and self._call.strip():
            yield Written("call", self._call.strip())
        self._call = ""
        self._closing, self._kind = ("", "answer") if self._closing else _after(mark)


def _after(mark: str) -> tuple[str, Kind]:
    return _OPENING.get(mark, ("", "answer"))


def _begun(text: str, marks: tuple[str, ...]) -> int:
    """How many characters at the end of a text may be the beginning of a mark."""
    longest = min(len(text), max(map(len, marks)) - 1)
    for length in range(longest, 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks):
            return length
    return 0
