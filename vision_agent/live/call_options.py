"""How a call's agent answers: voice, language, thinking, when a turn ends, what is transcribed.

The server has default options, and each call may ask for others. What can't be is refused with a
reason before anything connects: `CallOptions` refuses what no model can do, `option_checks` what a
particular one can't.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from vision_agent.live.models import ModelError, official_voice
from vision_agent.live.option_values import language_code, language_codes, one_of, phrases
from vision_agent.unknown_options import nearest

THINKING_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
MAX_THINKING_TOKENS = 32_768
MAX_SILENCE_MS = 10_000
MAX_PREFIX_PADDING_MS = 5_000
MAX_HISTORY_TURNS = 200

COSTLY = (
    "thinking_level",
    "thinking_budget",
    "media_resolution",
    "turn_coverage",
    "proactive_video",
    "history_turns",
)
"""Options that change what a call costs: where the server's operator has set one, it holds."""

_THINKING = (("thinking_level", "thinking_budget"), ("thinking_budget", "thinking_level"))
_SENSITIVITIES = ("low", "high")
_NAMES: dict[str, tuple[tuple[str, ...], str]] = {
    "thinking_level": (THINKING_LEVELS, ""),
    "media_resolution": (("low", "medium", "high"), "MEDIA_RESOLUTION_"),
    "start_sensitivity": (_SENSITIVITIES, "START_SENSITIVITY_"),
    "end_sensitivity": (_SENSITIVITIES, "END_SENSITIVITY_"),
    "activity_handling": (("interrupts", "no_interruption"), "START_OF_ACTIVITY_"),
    "turn_coverage": (
        ("only_activity", "all_input", "audio_activity_and_all_video"),
        "TURN_INCLUDES_",
    ),
}
"""The names that an option takes, and the prefix that the Live API writes before them."""


class CallOptions(BaseModel):
    """One call's options, each valid in itself. None leaves a choice to the model.

    Attributes:
        voice: The name of a prebuilt voice.
        language: BCP-47 code of the agent's speech.
        modalities: `AUDIO` or `TEXT`: a session has one.
        input_transcription: Whether the caller's speech is transcribed.
        output_transcription: Whether the agent's speech is transcribed.
        language_hints: BCP-47 codes of the languages that the caller may speak.
        vocabulary: Words and phrases that the caller may say, for the transcription.
        thinking_level: How much the model thinks: `THINKING_LEVELS`.
        thinking_budget: Tokens that it may think for; 0: none, -1: as many as it likes.
        media_resolution: How many tokens a frame takes: `low`, `medium`, `high`.
        turn_coverage: What belongs to a turn besides speech: `only_activity` (nothing),
            `all_input`, or `audio_activity_and_all_video`.
        voice_activity_detection: False: the model does not listen for turns; one lasts from the
            moment the caller's microphone is switched on to the moment it is switched off.
        start_sensitivity: How readily a sound counts as speech: `low` or `high`.
        end_sensitivity: How readily a pause ends a turn: `low` or `high`.
        silence_ms: How long a pause ends a turn.
        prefix_padding_ms: How long there must be speech before a turn begins.
        activity_handling: Whether speech cuts in on the answer: `interrupts`, `no_interruption`.
        proactive_audio: Whether the model may stay silent on speech that is not addressed to it.
        proactive_video: Whether the model may speak about what it sees, unasked.
        affective_dialog: Whether the model follows the caller's manner of speaking.
        translate_to: BCP-47 code of the language into which speech is translated.
        translate_echo: Whether speech that is in that language already is repeated.
        history_turns: How many turns of the conversation a new model session is told; None: all
            that are kept.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    voice: str | None = Field(default=None, min_length=1, max_length=100)
    language: str | None = None
    modalities: tuple[str, ...] = ("AUDIO",)
    input_transcription: bool = True
    output_transcription: bool = True
    language_hints: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    thinking_level: str | None = None
    thinking_budget: int | None = Field(default=None, ge=-1, le=MAX_THINKING_TOKENS)
    media_resolution: str | None = None
    turn_coverage: str | None = None
    voice_activity_detection: bool | None = None
    start_sensitivity: str | None = None
    end_sensitivity: str | None = None
    silence_ms: int | None = Field(default=None, ge=0, le=MAX_SILENCE_MS)
    prefix_padding_ms: int | None = Field(default=None, ge=0, le=MAX_PREFIX_PADDING_MS)
    activity_handling: str | None = None
    proactive_audio: bool | None = None
    proactive_video: bool | None = None
    affective_dialog: bool = False
    translate_to: str | None = None
    translate_echo: bool | None = None
    history_turns: int | None = Field(default=None, ge=0, le=MAX_HISTORY_TURNS)

    @property
    def modality(self) -> Literal["AUDIO", "TEXT"]:
        """The session's modality."""
        return "TEXT" if self.modalities == ("TEXT",) else "AUDIO"

    @property
    def detects_turns(self) -> bool:
        """Whether the model finds the caller's turns; else the microphone's switch makes them."""
        return self.voice_activity_detection is not False

    @property
    def interruptible(self) -> bool:
        """Whether the caller's speech cuts in on an answer."""
        return self.activity_handling != "no_interruption"

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Options from outside; unknown names and None are ignored.

        Raises:
            ModelError: An option is invalid; the text says which and why.
        """
        try:
            return cls.model_validate({k: v for k, v in given.items() if v is not None})
        except ValidationError as error:
            problem = error.errors()[0]
            reason = problem.get("ctx", {}).get("error")
            if reason is not None:
                raise ModelError(str(reason)) from None
            where = ".".join(str(part) for part in problem["loc"])
            raise ModelError(f"{where}: {problem['msg']}.") from None

    def but(self, given: Mapping[str, Any]) -> Self:
        """These options with some replaced by a call's own; see `read`.

        Raises:
            ModelError: One is invalid, or is one of `COSTLY` that the operator has set otherwise.
        """
        asked = {n: v for n, v in given.items() if v is not None and n in type(self).model_fields}
        for own, other in _THINKING:
            held = getattr(self, own)
            if held is not None and other in asked:
                raise ModelError(f"{other}: the server's operator has set {own} to {held}.")
        merged = self.read(self.model_dump() | asked)
        for name in COSTLY:
            held = getattr(self, name)
            if held is not None and getattr(merged, name) != held:
                raise ModelError(f"{name}: the server's operator has set it to {held}.")
        return merged

    @classmethod
    def misspelt(cls, names: Iterable[str]) -> tuple[str, str] | None:
        """The first name that is a misspelt option, and the option; None if there is none.

        A client may send data of its own beside the options, so a name that resembles no option is
        not taken for a mistake.
        """
        bare = {_bare(name): name for name in cls.model_fields}
        spelt = {*cls.model_fields, *map(to_camel, cls.model_fields)}
        for name in names:
            if name in spelt:
                continue
            if (near := nearest(_bare(name), bare, cutoff=0.84)) is not None:
                return name, bare[near]
        return None

    @field_validator("voice")
    @classmethod
    def _official_voice(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError(f"voice: {value!r} is not the name of a voice.")
        return None if value is None else official_voice(value)

    @field_validator(
        "thinking_budget", "silence_ms", "prefix_padding_ms", "history_turns", mode="before"
    )
    @classmethod
    def _number(cls, value: object, info: Any) -> object:
        if isinstance(value, bool):
            raise ValueError(f"{info.field_name}: a number is expected, not {str(value).lower()}.")
        return value

    @field_validator("language", "translate_to")
    @classmethod
    def _language_code(cls, value: str | None, info: Any) -> str | None:
        return language_code(info.field_name, value)

    @field_validator("language_hints", mode="before")
    @classmethod
    def _language_codes(cls, value: object) -> object:
        return language_codes("language_hints", value)

    @field_validator("vocabulary", mode="before")
    @classmethod
    def _phrases(cls, value: object) -> object:
        return phrases("vocabulary", value)

    @field_validator(*_NAMES, mode="before")
    @classmethod
    def _one_of(cls, value: object, info: Any) -> object:
        return one_of(info.field_name, value, *_NAMES[info.field_name])

    @field_validator("modalities", mode="before")
    @classmethod
    def _one_modality(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise ValueError("modalities: AUDIO or TEXT is expected.")
        wanted = tuple(dict.fromkeys(name.strip().upper() for name in names if name.strip()))
        for name in wanted:
            if name not in ("AUDIO", "TEXT"):
                raise ValueError(f"The Live API can't answer in {name[:40]}: choose AUDIO or TEXT.")
        if len(wanted) > 1:
            raise ValueError(
                "A session has one modality, not both AUDIO and TEXT: choose AUDIO, whose "
                "transcript (output_transcription) is the text."
            )
        return wanted or ("AUDIO",)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.thinking_level and self.thinking_budget is not None:
            raise ValueError(
                "thinking_level and thinking_budget say the same in two ways: give one of them."
            )
        if self.proactive_video and self.proactive_audio is False:
            raise ValueError(
                "proactive_video needs proactive_audio, which is off: leave one of them out."
            )
        if self.translate_echo is not None and self.translate_to is None:
            raise ValueError("translate_echo: there is no translation. Give translate_to as well.")
        return self


def _bare(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
