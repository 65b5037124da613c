"""The live models this server answers for, and how they differ on the wire; voices by name.

Which name exists where, and what each refuses, is what the public service does; ``local`` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vision_agent.local.engine.speech.voices import VOICES


@dataclass(frozen=True, slots=True)
class LiveModel:
    """One live model.

    Attributes:
        name: The bare name, without ``models/`` or ``publishers/google/models/``.
        ai_studio: Whether the AI Studio endpoint knows it.
        vertex: Whether the Vertex endpoint knows it.
        generation: 2 or 3: the dialect of its wire.
        content_any_time: Whether ``clientContent`` is taken after the initial history.
        text_out: Whether it may answer in text instead of sound.
        always_proactive: Whether an explicit ``proactiveAudio: false`` is an error.
        thinks: Whether a ``thinkingConfig`` is taken; where not, it is an error.
        background_tools: Whether tools may be ``NON_BLOCKING``; "default" where they are unless
            declared ``BLOCKING``.
    """

    name: str
    ai_studio: bool
    vertex: bool
    generation: int
    content_any_time: bool = True
    text_out: bool = False
    always_proactive: bool = False
    thinks: bool = True
    background_tools: Literal["never", "declared", "default"] = "declared"

    @property
    def coverage(self) -> Literal["ACTIVITY", "ACTIVITY_AND_VIDEO"]:
        """Which sound and frames are part of a turn, unless the client says otherwise."""
        # "local" is the agent of this machine, which is asked what has changed since earlier.
        return "ACTIVITY" if self.generation < 3 and self.name != "local" else "ACTIVITY_AND_VIDEO"

    def calls_in_background(self, behavior: str) -> bool:
        """Whether a function declared with this ``behavior`` ("" for none) is not waited for."""
        if self.background_tools == "never":
            return False
        return behavior == "NON_BLOCKING" or (
            self.background_tools == "default" and behavior != "BLOCKING"
        )

    @property
    def takes_media_chunks(self) -> bool:
        """Whether ``realtimeInput.mediaChunks`` is taken; 3.x closes with 1007 over it."""
        return self.generation < 3

    @property
    def tool_call_ends_turn(self) -> bool:
        """Whether ``turnComplete`` follows a ``toolCall`` at once.

        2.5 ends the turn there, and clients hold the call back until it has; 3.x keeps the turn
        open until the tool has answered, and a client that waited for its end would deadlock.
        """
        return self.generation < 3


MODELS = {
    model.name: model
    for model in (
        LiveModel("local", ai_studio=True, vertex=True, generation=2, text_out=True),
        LiveModel(
            "gemini-3.8-live",
            ai_studio=True,
            vertex=True,
            generation=3,
            always_proactive=True,
            thinks=False,
            background_tools="default",
        ),
        LiveModel(
            "gemini-3.1-flash-live-preview",
            ai_studio=True,
            vertex=False,
            generation=3,
            content_any_time=False,
            background_tools="never",
        ),
        LiveModel(
            "gemini-2.5-flash-native-audio-preview-12-2025",
            ai_studio=True,
            vertex=False,
            generation=2,
        ),
        LiveModel("gemini-live-2.5-flash-native-audio", ai_studio=False, vertex=True, generation=2),
    )
}


def find_model(resource_name: str, *, vertex: bool) -> LiveModel | None:
    """The model behind ``models/X``, ``…/publishers/google/models/X`` or ``X`` on an endpoint."""
    model = MODELS.get(resource_name.rpartition("/")[2])
    if model is None or not (model.vertex if vertex else model.ai_studio):
        return None
    return model


def find_voice(name: str) -> str | None:
    """The voice's name as the list spells it; the service does not mind the case."""
    wanted = name.casefold()
    return next((voice for voice in VOICES if voice.casefold() == wanted), None)
