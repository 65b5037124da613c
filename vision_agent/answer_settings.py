"""The settings of how the agent answers: the defaults of every call, which a call may replace.

`vision_agent.live.call_options.CallOptions` says what each means and checks it; docs/options.md
says which models take it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

_Texts = Annotated[list[str], NoDecode]


def none_if_empty(value: object) -> object:
    """An empty variable is no choice."""
    return None if isinstance(value, str) and not value.strip() else value


class AnswerSettings(BaseSettings):
    """Each is a variable, a flag of the commands, and an option of a call, under the same name."""

    voice: str | None = Field(
        default=None,
        description="A prebuilt voice's name, e.g. Kore; or the URL of a server with OpenAI's "
        "interface for speech, which then speaks.",
    )
    language: str | None = Field(
        default=None, description="Language code of the agent's speech, e.g. en-US."
    )
    modalities: _Texts = Field(
        default_factory=lambda: ["AUDIO"],
        description="AUDIO, or TEXT if the model has it; a session has one.",
    )
    input_transcription: bool = Field(
        default=True, description="Whether the caller's words are transcribed."
    )
    output_transcription: bool = Field(
        default=True, description="Whether the agent's words are transcribed."
    )
    language_hints: _Texts = Field(
        default_factory=list,
        description="Languages that callers may speak, with commas: de,en.",
    )
    vocabulary: _Texts = Field(
        default_factory=list,
        description="Words that callers may say, for the transcription, with commas.",
    )
    thinking_level: str | None = Field(
        default=None, description="How much the model thinks: minimal, low, medium, high, xhigh."
    )
    thinking_budget: int | None = Field(
        default=None,
        description="Tokens of thought, at most; 0: none, -1: the model decides.",
    )
    media_resolution: str | None = Field(
        default=None, description="How many tokens encode a picture: low, medium or high."
    )
    turn_coverage: str | None = Field(
        default=None,
        description="What belongs to a turn: only_activity, all_input, or "
        "audio_activity_and_all_video.",
    )
    voice_activity_detection: bool | None = Field(
        default=None,
        description="Whether the model finds the caller's turns; if not, the microphone's switch "
        "makes them.",
    )
    start_sensitivity: str | None = Field(
        default=None, description="How readily a sound counts as speech: low or high."
    )
    end_sensitivity: str | None = Field(
        default=None, description="How readily a pause ends a turn: low or high."
    )
    silence_ms: int | None = Field(default=None, description="The pause that ends a turn.")
    prefix_padding_ms: int | None = Field(
        default=None, description="How long there must be speech before a turn begins."
    )
    activity_handling: str | None = Field(
        default=None,
        description="Whether speech stops an answer: interrupts or no_interruption.",
    )
    proactive_audio: bool | None = Field(
        default=None, description="Whether the model may ignore speech that is not addressed to it."
    )
    proactive_video: bool | None = Field(
        default=None, description="Whether the model may speak about what it sees, unasked."
    )
    affective_dialog: bool = Field(
        default=False, description="Whether the model adapts to the caller's tone of voice."
    )
    translate_to: str | None = Field(
        default=None, description="Language code into which a translating model translates."
    )
    translate_echo: bool | None = Field(
        default=None, description="Whether speech in that language already is repeated."
    )
    history_turns: int | None = Field(
        default=None,
        description="Turns of the conversation that a new model session is told. Default: all.",
    )

    @field_validator("modalities", "language_hints", "vocabulary", mode="before")
    @classmethod
    def _split_texts(cls, value: object) -> object:
        if isinstance(value, str):
            return [each.strip() for each in value.split(",") if each.strip()]
        return value

    _empty_means_no_choice = field_validator(
        "voice",
        "language",
        "thinking_level",
        "thinking_budget",
        "media_resolution",
        "turn_coverage",
        "voice_activity_detection",
        "start_sensitivity",
        "end_sensitivity",
        "silence_ms",
        "prefix_padding_ms",
        "activity_handling",
        "proactive_audio",
        "proactive_video",
        "translate_to",
        "translate_echo",
        "history_turns",
        mode="before",
    )(none_if_empty)
