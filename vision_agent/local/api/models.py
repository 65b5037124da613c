"""The live models this server answers for, and how they differ on the wire; voices by name.

Which name exists where, and what each refuses, is what the public service does; ``local`` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vision_agent.local.api.habits import (
    EXTENDED_THINKING,
    GENERATION_3_1,
    GENERATION_3_8,
    GENERATION_3_8_ON_VERTEX,
    HALF_CASCADE_2_5,
    LOCAL,
    LOCAL_ON_VERTEX,
    NATIVE_2_5,
    NATIVE_2_5_ON_VERTEX,
    TRANSCRIBES,
    Habits,
)
from vision_agent.local.engine.speech.voices import VOICES


@dataclass(frozen=True, slots=True)
class LiveModel:
    """One live model.

    Attributes:
        name: The bare name, without ``models/`` or ``publishers/google/models/``.
        ai_studio: Whether the AI Studio endpoint knows it.
        vertex: Whether the Vertex endpoint knows it.
        generation: 2 or 3: the dialect of its wire.
        sound_out: Whether it may answer in sound.
        text_out: Whether it may answer in text instead of sound.
        role: Whether it answers, translates what it hears, or only transcribes it.
        always_proactive: Whether an explicit ``proactiveAudio: false`` is an error.
        thinking: Which ``thinkingConfig`` is taken: any, only and always one with a level, or none.
        affective: What becomes of ``enableAffectiveDialog``: it is taken, refused at the setup, or
            refused at the first message after it.
        any_language: Whether each language code is taken, instead of `LANGUAGES` only.
        null_handle: Whether ``sessionResumption`` may hold a handle of null.
        shut_down: The day for which its users report its shutdown; "" if none is known. It is
            served here all the same.
        background_tools: Whether tools may be ``NON_BLOCKING``; "default" where they are unless
            declared ``BLOCKING``.
        habits: How it speaks on the wire.
        vertex_habits: The same on Vertex, for a model of both services.
    """

    name: str
    ai_studio: bool
    vertex: bool
    generation: int
    sound_out: bool = True
    text_out: bool = False
    role: Literal["answer", "translate", "transcribe"] = "answer"
    always_proactive: bool = False
    thinking: Literal["any", "level", "none"] = "any"
    affective: Literal["taken", "at setup", "at first message"] = "taken"
    any_language: bool = True
    null_handle: bool = True
    shut_down: str = ""
    background_tools: Literal["never", "declared", "default"] = "declared"
    habits: Habits = LOCAL
    vertex_habits: Habits | None = None

    def habits_on(self, *, vertex: bool) -> Habits:
        """How it speaks on the wire of one of the two services."""
        return (vertex and self.vertex_habits) or self.habits

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
    def takes_text_on_vertex(self) -> bool:
        """Whether Vertex takes ``realtimeInput.text`` for it.

        Google's description of the messages of 2.5 leaves it out there; no session of 3.x on Vertex
        is known, and google-genai sends it.
        """
        return self.generation >= 3 or self.name == "local"

    @property
    def takes_media_chunks(self) -> bool:
        """Whether ``realtimeInput.mediaChunks`` is taken; 3.x closes with 1007 over it."""
        return self.generation < 3


MODELS = {
    model.name: model
    for model in (
        LiveModel(
            "local",
            ai_studio=True,
            vertex=True,
            generation=2,
            text_out=True,
            vertex_habits=LOCAL_ON_VERTEX,
        ),
        LiveModel(
            "gemini-3.8-live",
            ai_studio=True,
            vertex=True,
            generation=3,
            always_proactive=True,
            thinking="none",
            affective="at first message",
            habits=GENERATION_3_8,
            vertex_habits=GENERATION_3_8_ON_VERTEX,
            background_tools="default",
        ),
        LiveModel(
            "gemini-3.8-live-extended-thinking",
            ai_studio=True,
            vertex=False,
            generation=3,
            always_proactive=True,
            thinking="level",
            affective="at first message",
            habits=EXTENDED_THINKING,
            background_tools="default",
        ),
        LiveModel(
            "gemini-3.5-live-translate-preview",
            ai_studio=True,
            vertex=False,
            generation=3,
            role="translate",
            habits=GENERATION_3_8,
        ),
        LiveModel(
            "gemini-3.5-transcribe-live",
            ai_studio=True,
            vertex=False,
            generation=3,
            role="transcribe",
            habits=TRANSCRIBES,
        ),
        LiveModel(
            "gemini-robotics-er-2-streaming-preview",
            ai_studio=True,
            vertex=False,
            generation=3,
            sound_out=False,
            text_out=True,
            habits=GENERATION_3_8,
        ),
        LiveModel(
            "gemini-3.1-flash-live-preview",
            ai_studio=True,
            vertex=False,
            generation=3,
            affective="at setup",
            null_handle=False,
            habits=GENERATION_3_1,
            background_tools="never",
            shut_down="17 November 2026",
        ),
        *(
            LiveModel(
                f"gemini-2.5-flash-native-audio-{version}",
                ai_studio=True,
                vertex=False,
                generation=2,
                any_language=False,
                habits=NATIVE_2_5,
            )
            for version in ("preview-12-2025", "preview-09-2025", "latest")
        ),
        LiveModel(
            "gemini-live-2.5-flash-native-audio",
            ai_studio=False,
            vertex=True,
            generation=2,
            habits=NATIVE_2_5_ON_VERTEX,
        ),
        # A half cascade: a model that writes, and a voice that reads.
        LiveModel(
            "gemini-live-2.5-flash",
            ai_studio=False,
            vertex=True,
            generation=2,
            text_out=True,
            habits=HALF_CASCADE_2_5,
        ),
    )
}


# fmt: off
LANGUAGES = frozenset((
    "ar-XA", "bn-IN", "cmn-CN", "de-DE", "en-AU", "en-GB", "en-IN", "en-US", "es-ES", "es-US",
    "fr-CA", "fr-FR", "gu-IN", "hi-IN", "id-ID", "it-IT", "ja-JP", "kn-IN", "ko-KR", "ml-IN",
    "mr-IN", "nl-NL", "pl-PL", "pt-BR", "ru-RU", "ta-IN", "te-IN", "th-TH", "tr-TR", "vi-VN",
))
# fmt: on
"""The documented values of ``speechConfig.languageCode``. The 2.5 models of AI Studio refuse others
(recorded in September 2026 for "sv" and "sv-SE")."""


def find_model(resource_name: str, *, vertex: bool) -> LiveModel | None:
    """The model behind ``models/X``, ``…/publishers/google/models/X`` or ``X`` on an endpoint."""
    model = MODELS.get(resource_name.rpartition("/")[2])
    if model is None or not (model.vertex if vertex else model.ai_studio):
        return None
    return model


def find_voice(name: str) -> str | None:
    """The voice of this name, in this case: the service knows no "kore"."""
    return name if name in VOICES else None
