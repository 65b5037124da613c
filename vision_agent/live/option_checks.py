"""Whether a model can do what a call asks of it. Pure.

What a model is known to refuse is refused here, with the reason and with what would work: the
services ignore some options silently, and close the connection over others with few words. A model
that is not in the list is not checked: the service decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from vision_agent.live.call_options import THINKING_LEVELS, CallOptions
from vision_agent.live.models import (
    LIVE_MODELS,
    THIS_MACHINE,
    LiveModelInfo,
    ModelError,
    find_model,
    unlisted_voice,
)

_WITHOUT_PROACTIVITY = ("v1", "v1beta")


def check_options(
    options: CallOptions, model: str, *, local: bool = False, api_version: str | None = None
) -> None:
    """Raise `ModelError` if a model does not support the options.

    Args:
        options: The call's.
        model: The model's name.
        local: Whether the local Live API answers for it: there, an unknown voice is a mistake.
        api_version: The version of the Live API, if one is pinned.
    """
    if api_version in _WITHOUT_PROACTIVITY and (options.proactive_audio or options.proactive_video):
        raise ModelError(
            f"proactive_audio: {api_version} of the Live API has no proactivity. Leave the version "
            "out of the model's base_url or http_options: ADK then takes v1alpha, which has it."
        )
    if local and options.voice is not None and (unlisted := unlisted_voice(options.voice)):
        raise ModelError(unlisted)
    known = find_model(model)
    if known is not None and (reason := next(_misfits(options, known), None)) is not None:
        raise ModelError(reason)


def _misfits(options: CallOptions, model: LiveModelInfo) -> Iterator[str]:
    name = repr(model.name)
    if model.role == "transcribe":
        yield f"{name} writes down what it hears and answers nothing."
    if options.modality == "AUDIO" and not model.sound_out:
        yield f"{name} answers in text only: choose TEXT as modality."
    if options.modality == "TEXT" and not model.text_out:
        yield (
            f"{name} answers in sound only: leave the modality at AUDIO, and read its transcript "
            "(output_transcription)."
        )
    if options.affective_dialog and not model.affective:
        yield f"{name} has no affective dialog. Models that have it: {_those_with('affective')}."
    if options.proactive_audio and model.proactive == "never":
        yield f"{name} has no proactive audio. Models that have it: {_those_with('proactive')}."
    if options.proactive_audio is False and model.proactive == "always":
        yield (
            f"{name} is always proactive: it can't be switched off. Leave proactive_audio unset."
        )
    if options.proactive_video and model.proactive == "never":
        yield (
            f"{name} has no proactive_video, which needs proactive audio. Models that have that: "
            f"{_those_with('proactive')}."
        )
    yield from _thinking(options, model)
    if options.translate_to and model.role != "translate" and model is not THIS_MACHINE:
        translators = ", ".join(each.name for each in LIVE_MODELS if each.role == "translate")
        yield f"{name} does not translate: leave translate_to out. Models that do: {translators}."
    if options.translate_to is None and model.role == "translate":
        yield (
            f"{name} only translates, and says nothing without a language: give translate_to, "
            "such as translate_to=de."
        )


def _thinking(options: CallOptions, model: LiveModelInfo) -> Iterator[str]:
    name, level, budget = repr(model.name), options.thinking_level, options.thinking_budget
    match model.thinking:
        case "never" if level or budget is not None:
            asked = "thinking_level" if level else "thinking_budget"
            yield (
                f"{name} takes no {asked}: how much it thinks can't be chosen. "
                f"Models that let it be chosen: {_those_with('thinking')}."
            )
        case "budget" if level:
            yield f"{name} takes a thinking_budget in tokens, not a thinking_level."
        case "required" if budget is not None:
            yield f"{name} takes a thinking_level, not a thinking_budget."
        case "required" if level in (None, "minimal"):
            # The service closes over MINIMAL as it does without a level (September 2026).
            enough = (each for each in THINKING_LEVELS if each != "minimal")
            yield f"{name} needs a thinking_level: {', '.join(enough)}."


def _those_with(feature: str) -> str:
    return ", ".join(m.name for m in LIVE_MODELS if getattr(m, feature) not in (False, "never"))
