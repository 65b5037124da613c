"""The first message of a connection: the client's setup, and its refusal."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vision_agent.local.api.context_window import WINDOW_TOKENS, Compression, compression
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.habits import LOCAL, Habits
from vision_agent.local.api.json_fields import (
    INVALID_ARGUMENT,
    POLICY,
    Refused,
    as_count,
    as_flag,
    as_list,
    as_object,
    as_text,
    field,
    invalid,
    load,
)
from vision_agent.local.api.message_parts import content_text, declared_functions
from vision_agent.local.api.models import LANGUAGES, LiveModel, find_model, find_voice
from vision_agent.local.api.schema_validation import check_message
from vision_agent.local.contract import HearingOptions, SpeechSensitivity

Coverage = Literal["ACTIVITY", "ACTIVITY_AND_VIDEO", "EVERYTHING"]

MAX_PREFIX_MS = 1_000

_COVERAGES: dict[str, Coverage] = {
    "TURN_INCLUDES_ONLY_ACTIVITY": "ACTIVITY",
    "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO": "ACTIVITY_AND_VIDEO",
    "TURN_INCLUDES_ALL_INPUT": "EVERYTHING",
}


@dataclass(frozen=True, slots=True)
class Setup:
    """The configuration of a session; every default is the service's.

    Attributes:
        endpoint: Which service was called.
        model: The live model.
        habits: How the model speaks on the wire of that service.
        spoken: Whether answers are sound (true) or text (false).
        voice_name: One of the known voices, or None for the default one.
        language_code: BCP-47 code for the voice, if asked for.
        instruction: The system instruction, as text.
        tools: Function declarations, flattened out of all tools.
        input_transcription: Whether the caller's words are to be sent back.
        output_transcription: Whether the answer's words are to be sent.
        automatic_detection: Whether the server finds speech itself; else the client signals it.
        hearing: When speech starts and ends.
        barge_in: Whether the caller's activity interrupts an answer.
        coverage: Which of the caller's sound and frames is part of a turn, and so is counted.
        voice_activity: Whether speech starts and ends are to be reported.
        resumption: Whether handles are to be sent.
        handle: The session to resume.
        transparent: Whether updates say which client message they include.
        history_first: Whether the first ``clientContent`` is history to start from.
        thoughts: Whether what the model thinks is to be sent.
        proactive: Whether the model may stay silent on what is not meant for it.
        asks_proactive: Whether the client asks for that, instead of the model being so anyway.
        compression: How the context is kept short, if it is.
        user: Whose conversation it is: the label "user", if the client sets one.
        translate_to: The language that is asked for of a model that translates; "" for none.
        ends_at_first_message: Whether it asks for what the model refuses only when it is used.
    """

    endpoint: Endpoint
    model: LiveModel
    habits: Habits = LOCAL
    spoken: bool = True
    voice_name: str | None = None
    language_code: str | None = None
    instruction: str = ""
    tools: Sequence[Mapping[str, Any]] = ()
    input_transcription: bool = False
    output_transcription: bool = False
    automatic_detection: bool = True
    hearing: HearingOptions = dataclasses.field(default_factory=HearingOptions)
    barge_in: bool = True
    coverage: Coverage = "ACTIVITY"
    voice_activity: bool = False
    resumption: bool = False
    handle: str | None = None
    transparent: bool = False
    history_first: bool = False
    thoughts: bool = False
    proactive: bool = False
    asks_proactive: bool = False
    compression: Compression | None = None
    user: str = ""
    translate_to: str = ""
    ends_at_first_message: bool = False


def load_setup(raw: str | bytes) -> Mapping[str, Any]:
    """The fields of the setup in a connection's first message, whatever they hold.

    Raises:
        Refused: it is not a setup.
    """
    message = load(raw)
    if set(message) != {"setup"}:
        raise invalid(INVALID_ARGUMENT)
    return as_object(message["setup"], "setup")


def read_setup(
    setup: Mapping[str, Any], endpoint: Endpoint, other_habits: Mapping[str, Any] | None = None
) -> Setup:
    """The setup that its fields ask for.

    Args:
        setup: The fields.
        endpoint: Which service was called.
        other_habits: Habits of the model that a scenario changes, by name.

    Raises:
        Refused: it asks for something the model does not do.
    """
    check_message({"setup": setup}, endpoint)
    model_name = as_text(field(setup, "model"), "setup.model")
    model = find_model(model_name, vertex=endpoint.vertex)
    if model is None:
        raise _unknown_model(model_name, endpoint)
    habits = model.habits_on(vertex=endpoint.vertex).with_other(other_habits or {})
    generation = as_object(field(setup, "generation_config"), "setup.generation_config")
    spoken = _is_spoken(generation, model)
    _check_thinking(field(generation, "thinking_config"), model)
    affective = as_flag(field(generation, "enable_affective_dialog"), "enable_affective_dialog")
    if affective and model.affective == "at setup":
        raise invalid(INVALID_ARGUMENT)
    speech = as_object(field(generation, "speech_config"), "speech_config")
    proactivity = as_object(field(setup, "proactivity"), "setup.proactivity")
    if model.always_proactive and field(proactivity, "proactive_audio") is False:
        raise invalid(f"Proactive audio cannot be disabled for model models/{model.name}.")
    realtime = as_object(field(setup, "realtime_input_config"), "realtime_input_config")
    detection = as_object(field(realtime, "automatic_activity_detection"), "activity_detection")
    coverage = as_text(field(realtime, "turn_coverage"), "turn_coverage").upper()
    silence_ms = as_count(field(detection, "silence_duration_ms"), "silence_duration_ms")
    prefix_ms = as_count(field(detection, "prefix_padding_ms"), "prefix_padding_ms")
    language = as_text(field(speech, "language_code"), "language_code")
    if language and not model.any_language and language not in LANGUAGES:
        raise invalid(f"Unsupported language code '{language[:35]}'")
    resumption = field(setup, "session_resumption")
    resumed = as_object(resumption, "setup.session_resumption")
    if resumed.get("handle", "") is None and not model.null_handle:
        raise invalid(INVALID_ARGUMENT)
    history = as_object(field(setup, "history_config"), "setup.history_config")
    # Vertex starts less readily than AI Studio unless told otherwise.
    readiness: SpeechSensitivity = "LOW" if endpoint.vertex else "HIGH"
    return Setup(
        endpoint=endpoint,
        model=model,
        habits=habits,
        spoken=spoken,
        voice_name=_voice(speech, model_name) if spoken else None,
        language_code=language or None,
        instruction=content_text(field(setup, "system_instruction")),
        tools=declared_functions(field(setup, "tools")),
        input_transcription=field(setup, "input_audio_transcription") is not None,
        output_transcription=field(setup, "output_audio_transcription") is not None,
        automatic_detection=not as_flag(field(detection, "disabled"), "disabled"),
        hearing=HearingOptions(
            silence_ms=min(silence_ms or habits.silence_ms, habits.longest_silence_ms),
            start_sensitivity=_sensitivity(detection, "start_of_speech_sensitivity", readiness),
            end_sensitivity=_sensitivity(detection, "end_of_speech_sensitivity", readiness),
            prefix_padding_ms=None if prefix_ms is None else min(prefix_ms, MAX_PREFIX_MS),
        ),
        barge_in=as_text(field(realtime, "activity_handling"), "activity_handling").upper()
        != "NO_INTERRUPTION",
        coverage=_COVERAGES.get(coverage, model.coverage),
        voice_activity=habits.reports_speech
        or as_flag(field(setup, "explicit_vad_signal"), "explicit_vad_signal"),
        resumption=resumption is not None,
        handle=as_text(field(resumed, "handle"), "handle") or None,
        transparent=as_flag(field(resumed, "transparent"), "transparent"),
        history_first=as_flag(field(history, "initial_history_in_client_content"), "history"),
        thoughts=_sends_thoughts(field(generation, "thinking_config"), habits),
        proactive=model.always_proactive
        or as_flag(field(proactivity, "proactive_audio"), "proactive_audio"),
        asks_proactive=as_flag(field(proactivity, "proactive_audio"), "proactive_audio"),
        compression=_compression(field(setup, "context_window_compression")),
        user=as_text(field(as_object(field(setup, "labels"), "setup.labels"), "user"), "user"),
        translate_to=_translate_to(field(generation, "translation_config")),
        ends_at_first_message=affective and model.affective == "at first message",
    )


def _translate_to(config: Any) -> str:
    return as_text(
        field(as_object(config, "translation_config"), "target_language_code"),
        "target_language_code",
    )


def _sends_thoughts(config: Any, habits: Habits) -> bool:
    asked = as_object(config, "thinking_config")
    if not habits.thinks or field(asked, "thinking_budget") == 0:
        return False
    wanted = field(asked, "include_thoughts")
    return habits.thoughts if wanted is None else as_flag(wanted, "include_thoughts")


def _compression(value: Any) -> Compression | None:
    if value is None:
        return None
    asked = as_object(value, "context_window_compression")
    window = as_object(field(asked, "sliding_window"), "sliding_window")
    wanted = compression(
        as_count(field(asked, "trigger_tokens"), "trigger_tokens"),
        as_count(field(window, "target_tokens"), "target_tokens"),
        WINDOW_TOKENS,
    )
    if wanted.target_tokens >= wanted.trigger_tokens:
        raise invalid("Invalid context_window_compression: target_tokens must be < trigger_tokens.")
    return wanted


def _unknown_model(name: str, endpoint: Endpoint) -> Refused:
    if endpoint.vertex:
        # Without the project in front, so that a close frame holds the whole name.
        short = name[max(name.find("publishers/"), 0) :]
        return Refused(
            POLICY,
            f"Publisher model `{short}` was not found or your project does not have access to it.",
        )
    return Refused(
        POLICY,
        f"models/{name.removeprefix('models/')} is not found for API version {endpoint.version}, "
        "or is not supported for bidiGenerateContent. Call ModelService.ListModels to see the list "
        "of available models and their supported methods.",
    )


def _check_thinking(config: Any, model: LiveModel) -> None:
    level = as_text(field(as_object(config, "thinking_config"), "thinking_level"), "thinking_level")
    if model.thinking == "none" and config is not None:
        raise invalid("Thinking level is not supported for this model.")
    if model.thinking == "level":
        if level.upper() in ("", "THINKING_LEVEL_UNSPECIFIED"):
            raise invalid("Thinking level must be specified for this model.")
        if level.upper() == "MINIMAL":
            raise invalid("Thinking level MINIMAL is not supported for this model.")


def _is_spoken(generation: Mapping[str, Any], model: LiveModel) -> bool:
    modalities = [
        as_text(modality, "response_modalities").upper()
        for modality in as_list(field(generation, "response_modalities"), "response_modalities")
    ] or ["AUDIO"]
    if len(modalities) > 1:
        raise invalid(
            "At most one response modality can be specified in the setup request. To enable "
            "simultaneous transcription and audio output, set `output_audio_transcription`."
        )
    possible = {"AUDIO": model.sound_out, "TEXT": model.text_out}
    if not possible.get(modalities[0], False):
        raise invalid(
            f"The requested combination of response modalities ({modalities[0]}) is not supported "
            f"by the model. models/{model.name}"
        )
    return modalities[0] == "AUDIO"


def _voice(speech: Mapping[str, Any], model_name: str) -> str | None:
    config = as_object(field(speech, "voice_config"), "voice_config")
    prebuilt = as_object(field(config, "prebuilt_voice_config"), "prebuilt_voice_config")
    name = as_text(field(prebuilt, "voice_name") or field(config, "voice"), "voice_name")
    if not name:
        return None
    voice = find_voice(name)
    if voice is None:
        raise invalid(f"Requested voice api_name '{name}' is not available for model {model_name}")
    return voice


def _sensitivity(
    detection: Mapping[str, Any], name: str, default: SpeechSensitivity
) -> SpeechSensitivity:
    value = as_text(field(detection, name), name).upper()
    if value.endswith("_LOW"):
        return "LOW"
    return "HIGH" if value.endswith("_HIGH") else default
