"""Puts the spaces between words that models leave out between the pieces of a transcript. Pure.

A piece begins or ends with the space that separates it from its neighbour (" name", "shows a "),
but not where an answer goes on after a tool call or an announced pause, and not always between two
sentences. ADK joins the pieces as they are, so the space has to be there before ADK reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from google.genai import types

from vision_agent.live.turn_status import goes_on

_ENDS = ".!?…"


@dataclass(slots=True)
class _SpacedSide:
    """One side's words; `parted` is whether the next piece begins something new."""

    last: str = ""
    parted: bool = False

    def space(self, said: types.Transcription | None) -> None:
        if said is None or not said.text:
            return
        first = said.text[0]
        begins = self.parted or (self.last in _ENDS and first.isupper())
        if self.last and begins and not (self.last.isspace() or first.isspace()):
            said.text = f" {said.text}"
        self.last, self.parted = said.text[-1], False


@dataclass(slots=True)
class SpacedWords:
    """The words of both sides on one connection."""

    _user: _SpacedSide = field(default_factory=_SpacedSide)
    _agent: _SpacedSide = field(default_factory=_SpacedSide)

    def received(self, message: types.LiveServerMessage) -> None:
        """Take the next message of the model; its transcripts are changed in place."""
        if content := message.server_content:
            self._user.space(content.input_transcription)
            self._agent.space(content.output_transcription)
            if content.generation_complete or content.turn_complete:
                self._agent.parted = True
            if content.interrupted or (content.turn_complete and not goes_on(content)):
                self._agent = _SpacedSide()
        if message.tool_call:
            self._agent.parted = True
