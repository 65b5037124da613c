"""The messages around an answer, as each model puts them together. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.api import server_messages
from vision_agent.local.api.captions import transcript_pieces
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turn_actions import TurnComplete
from vision_agent.local.contract import FunctionCall


def input_transcript(setup: Setup, text: str, lead: str) -> list[ServerMessage]:
    """The messages with the transcript of one utterance.

    Args:
        setup: The model's habits.
        text: The transcript.
        lead: The space in front of it, after another utterance of the same turn.
    """
    pieces = list(transcript_pieces(text))
    messages: list[ServerMessage] = []
    if setup.habits.interim:
        grown = ("".join(pieces[:count]).strip() for count in range(1, len(pieces) + 1))
        messages += [server_messages.interim_input_transcription(so_far) for so_far in grown]
    said = pieces if setup.habits.heard_in_pieces else [lead + text]
    return messages + [server_messages.input_transcription(piece) for piece in said]


def tool_call(setup: Setup, calls: Sequence[FunctionCall]) -> list[ServerMessage]:
    """Functions the client has to run."""
    messages = [server_messages.tool_call(calls)]
    if setup.habits.captions == "before" and setup.output_transcription:
        messages.append(server_messages.output_transcription_finished())
    return messages


def turn_complete(setup: Setup, turn: TurnComplete) -> ServerMessage:
    """The turn is over."""
    status = "IN_PROGRESS" if turn.more_follows else "IDLE"
    return server_messages.turn_complete(
        said_nothing=turn.said_nothing,
        status=status if setup.habits.interaction_status else None,
        grounding=setup.habits.grounding,
    )
