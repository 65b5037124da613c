"""How a call's agent answers: voice, language, sound or text, transcripts.

The server has default options, and each call may ask for others. Options that can't work are
refused here with a reason, before anything connects: the services ignore some of them silently and
close the connection over others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from vision_agent.live.models import LIVE_MODELS, ModelError, bare_name, check_voice, find_model

_LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class CallOptions(BaseModel):
    """One call's options, each valid in itself.

    Attributes:
        voice: The name of a prebuilt voice; None leaves it to the model.
        language: BCP-47 code of the agent's speech; None leaves it to the model.
        modalities: `AUDIO` or `TEXT`: a session has one.
        input_transcription: Whether the caller's speech is transcribed.
        output_transcription: Whether the agent's speech is transcribed.
        proactive_audio: Whether the model may stay silent on speech that is not addressed to it;
            None leaves it to the model.
        affective_dialog: Whether the model follows the caller's manner of speaking.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    voice: str | None = None
    language: str | None = None
    modalities: tuple[str, ...] = ("AUDIO",)
    input_transcription: bool = True
    output_transcription: bool = True
    proactive_audio: bool | None = None
    affective_dialog: bool = False

    @property
    def modality(self) -> Literal["AUDIO", "TEXT"]:
        """The session's modality."""
        return "TEXT" if self.modalities == ("TEXT",) else "AUDIO"

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
        """These options with some replaced; see `read`."""
        return self.read(self.model_dump() | {k: v for k, v in given.items() if v is not None})

    @field_validator("voice")
    @classmethod
    def _known_voice(cls, value: str | None) -> str | None:
        return None if value is None else check_voice(value)

    @field_validator("language")
    @classmethod
    def _language_code(cls, value: str | None) -> str | None:
        if value is not None and not _LANGUAGE_CODE.fullmatch(value):
            raise ValueError(f"{value!r} is not a language code such as en-US or de-DE.")
        return value

    @field_validator("modalities", mode="before")
    @classmethod
    def _one_modality(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise ValueError("modalities: AUDIO or TEXT is wanted.")
        wanted = tuple(dict.fromkeys(name.strip().upper() for name in names if name.strip()))
        for name in wanted:
            if name not in ("AUDIO", "TEXT"):
                raise ValueError(f"The Live API can't answer in {name}: choose AUDIO or TEXT.")
        if len(wanted) > 1:
            raise ValueError(
                "A session has one modality, not both AUDIO and TEXT: choose AUDIO, whose "
                "transcript (output_transcription) is the text."
            )
        return wanted or ("AUDIO",)


def check_options(options: CallOptions, model: str) -> None:
    """Raise `ModelError` if a model does not support the options.

    A model that is newer than the list is not checked: the service decides.
    """
    known = find_model(model)
    if known is None:
        return
    name = bare_name(model)
    if known.role == "transcribe":
        raise ModelError(f"{name!r} writes down what it hears and answers nothing.")
    if options.modality == "AUDIO" and not known.sound_out:
        raise ModelError(f"{name!r} answers in text only: choose TEXT as modality.")
    if options.modality == "TEXT" and not known.text_out:
        raise ModelError(
            f"{name!r} answers in sound only: leave the modality at AUDIO, and read its transcript "
            "(output_transcription)."
        )
    if options.affective_dialog and not known.affective:
        raise ModelError(
            f"{name!r} has no affective dialog. Models that have it: {_those_with('affective')}."
        )
    if options.proactive_audio and known.proactive == "never":
        raise ModelError(
            f"{name!r} has no proactive audio. Models that have it: {_those_with('proactive')}."
        )
    if options.proactive_audio is False and known.proactive == "always":
        raise ModelError(
            f"{name!r} is always proactive: it can't be switched off. Leave proactive_audio unset."
        )


def _those_with(feature: str) -> str:
    return ", ".join(m.name for m in LIVE_MODELS if getattr(m, feature) not in (False, "never"))
