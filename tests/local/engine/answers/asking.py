"""Asks a responder a question with frames, and returns its whole answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.local.engine.sight.sight_frames import Pixels, jpeg, shot
from tests.local.engine.sight.sight_scenes import coloured_shape, held_up, textured, wall
from vision_agent.local.contract import Say, SeenFrame, ToolRequest, Transcript, Turn
from vision_agent.local.engine.answers.responder import Responder

MUG = textured(1)
RED_BAR = coloured_shape("bar", (200, 30, 30))


def frame(pixels: Pixels, at_ms: int = 0) -> SeenFrame:
    return SeenFrame(jpeg(pixels), at_ms)


def shown(thing: Pixels, **how: Any) -> SeenFrame:
    return frame(shot(held_up(thing, wall(2), **how)))


async def ask(
    responder: Responder,
    text: str,
    *frames: SeenFrame,
    user: str = "",
    tools: Sequence[Mapping[str, Any]] = (),
    understood: bool = True,
    spoken: bool = False,
    **turn: Any,
) -> str | ToolRequest:
    """The whole answer in one string, or the tool that is requested."""
    transcript = Transcript(text, understood, spoken)
    asked = Turn(transcript, frames=frames, user=user, tools=tools, **turn)
    parts = [part async for part in responder.answer(asked)]
    calls = [part for part in parts if isinstance(part, ToolRequest)]
    said = " ".join(part.text for part in parts if isinstance(part, Say))
    assert not (calls and said)
    return calls[0] if calls else said
