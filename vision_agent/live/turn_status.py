"""Whether a `turnComplete` is the end of the turn.

A model that thinks for long answers one question with several turns of its own (recorded in 2026:
3.8-live-extended-thinking says a filler first). `interactionStatus` tells them apart: IN_PROGRESS
comes with each turn but the last, IDLE with the last one. Other models send no status.
"""

from __future__ import annotations

from google.adk.models.llm_response import LlmResponse
from google.genai import types


def goes_on(turn: LlmResponse | types.LiveServerContent) -> bool:
    """Whether the model continues, without being asked, after the turn that this ends."""
    return turn.interaction_status is types.InteractionStatus.IN_PROGRESS
