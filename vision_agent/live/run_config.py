"""Makes ADK's `RunConfig` from a call's options, and what `RunConfig` has no field for."""

from __future__ import annotations

import os

from google.adk.agents.run_config import RunConfig
from google.adk.models.llm_request import LlmRequest
from google.adk.telemetry import TelemetryConfig
from google.genai import types

from vision_agent.live.call_options import CallOptions
from vision_agent.live.models import find_model

# Without compression a session with video ends after two minutes (Live API limits); with it the
# oldest turns make room. The model's window is 128k tokens: start well before, keep half.
COMPRESSION_TRIGGER_TOKENS = 96_000
COMPRESSION_TARGET_TOKENS = 48_000

_HANDLING = {"interrupts": "START_OF_ACTIVITY_INTERRUPTS", "no_interruption": "NO_INTERRUPTION"}

DEFAULTS = CallOptions()


def make_run_config(options: CallOptions = DEFAULTS) -> RunConfig:
    """The configuration of one call's `Runner.run_live`.

    It asks for session resumption, and for context-window compression, without which a session with
    video ends after two minutes; the rest follows the call's options.

    Args:
        options: Options that the model supports (`option_checks`).
    """
    speaks = options.modality == "AUDIO"
    return RunConfig(
        response_modalities=[types.Modality(options.modality)],
        speech_config=_speech(options) if speaks else None,
        # ADK switches both on by default, so off has to be explicit.
        input_audio_transcription=_input_transcription(options),
        output_audio_transcription=types.AudioTranscriptionConfig()
        if speaks and options.output_transcription
        else None,
        realtime_input_config=_realtime_input(options),
        translation_config=types.TranslationConfig(
            target_language_code=options.translate_to, echo_target_language=options.translate_echo
        )
        if options.translate_to
        else None,
        session_resumption=types.SessionResumptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESSION_TRIGGER_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESSION_TARGET_TOKENS),
        ),
        telemetry=_telemetry(),
        # A call is one run: ADK's default of 500 model calls would end a long call.
        max_llm_calls=1_000_000,
    )


def _telemetry() -> TelemetryConfig | None:
    """What is said is part of ADK's spans only where a variable asks for it; ADK's default is yes.

    `ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS` is ADK's own and decides if it is set; otherwise
    OpenTelemetry's `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` does.
    """
    if "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS" in os.environ:
        return None
    asked = TelemetryConfig().resolved_content_capturing_mode
    return TelemetryConfig(capture_message_content=asked)


def complete_setup(request: LlmRequest, options: CallOptions, model: str) -> None:
    """Add to a connection's setup, in place, what does not reach it through `RunConfig`.

    `RunConfig` has no field for thinking and media resolution, and ADK drops proactivity and
    affective dialog for every 3.x model, a newer one that takes them included. A call's own choice
    takes precedence over that of the agent's author (`generate_content_config`).

    Args:
        request: ADK's request for a connection.
        options: Options that the model supports (`option_checks`).
        model: The model's name.
    """
    config = request.live_connect_config
    if options.thinking_level or options.thinking_budget is not None:
        level = options.thinking_level
        # ADK copies this one, the agent's own, over that of the connection.
        request.config.thinking_config = types.ThinkingConfig(
            thinking_level=types.ThinkingLevel(level.upper()) if level else None,
            thinking_budget=options.thinking_budget,
        )
    if options.media_resolution:
        config.media_resolution = types.MediaResolution(
            f"MEDIA_RESOLUTION_{options.media_resolution.upper()}"
        )
    config.proactivity = _proactivity(options, model)
    config.enable_affective_dialog = True if options.affective_dialog else None


def _proactivity(options: CallOptions, model: str) -> types.ProactivityConfig | None:
    audio = options.proactive_audio
    if options.proactive_video:
        audio = True
    elif audio and (known := find_model(model)) and known.proactive == "always":
        audio = None
    return None if audio is None else types.ProactivityConfig(proactive_audio=audio)


def _input_transcription(options: CallOptions) -> types.AudioTranscriptionConfig | None:
    if not options.input_transcription:
        return None
    return types.AudioTranscriptionConfig(
        language_codes=list(options.language_hints) or None,
        custom_vocabulary=list(options.vocabulary) or None,
    )


def _realtime_input(options: CallOptions) -> types.RealtimeInputConfig | None:
    handling, coverage = options.activity_handling, options.turn_coverage
    config = types.RealtimeInputConfig(
        automatic_activity_detection=_detection(options),
        activity_handling=types.ActivityHandling(_HANDLING[handling]) if handling else None,
        turn_coverage=types.TurnCoverage(f"TURN_INCLUDES_{coverage.upper()}") if coverage else None,
    )
    return config if config.model_dump(exclude_none=True) else None


def _detection(options: CallOptions) -> types.AutomaticActivityDetection | None:
    if not options.detects_turns:
        return types.AutomaticActivityDetection(disabled=True)
    start, end = options.start_sensitivity, options.end_sensitivity
    detection = types.AutomaticActivityDetection(
        start_of_speech_sensitivity=types.StartSensitivity(f"START_SENSITIVITY_{start.upper()}")
        if start
        else None,
        end_of_speech_sensitivity=types.EndSensitivity(f"END_SENSITIVITY_{end.upper()}")
        if end
        else None,
        silence_duration_ms=options.silence_ms,
        prefix_padding_ms=options.prefix_padding_ms,
    )
    return detection if detection.model_dump(exclude_none=True) else None


def _speech(options: CallOptions) -> types.SpeechConfig | None:
    if not (options.voice or options.language):
        return None
    return types.SpeechConfig(
        language_code=options.language,
        voice_config=types.VoiceConfig(
            prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=options.voice)
        )
        if options.voice
        else None,
    )
