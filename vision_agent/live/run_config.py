"""Makes ADK's `RunConfig` from a call's options."""

from __future__ import annotations

from google.adk.agents.run_config import RunConfig
from google.genai import types

from vision_agent.live.call_options import CallOptions

# Without compression a session with video ends after two minutes (Live API limits); with it the
# oldest turns make room. The model's window is 128k tokens: start well before, keep half.
COMPRESSION_TRIGGER_TOKENS = 96_000
COMPRESSION_TARGET_TOKENS = 48_000


DEFAULTS = CallOptions()


def make_run_config(options: CallOptions = DEFAULTS) -> RunConfig:
    """The configuration of one call's `Runner.run_live`.

    It asks for session resumption, and for context-window compression, without which a session with
    video ends after two minutes; the rest follows the call's options.

    Args:
        options: Options that the model supports (`check_options`).
    """
    speaks = options.modality == "AUDIO"
    return RunConfig(
        response_modalities=[types.Modality(options.modality)],
        speech_config=_speech(options) if speaks else None,
        # ADK switches both on by default, so off has to be explicit.
        input_audio_transcription=_transcription(options.input_transcription),
        output_audio_transcription=_transcription(speaks and options.output_transcription),
        enable_affective_dialog=True if options.affective_dialog else None,
        proactivity=None
        if options.proactive_audio is None
        else types.ProactivityConfig(proactive_audio=options.proactive_audio),
        session_resumption=types.SessionResumptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESSION_TRIGGER_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESSION_TARGET_TOKENS),
        ),
        # A call is one run: ADK's default of 500 model calls would end a long call.
        max_llm_calls=1_000_000,
    )


def _transcription(wanted: bool) -> types.AudioTranscriptionConfig | None:
    return types.AudioTranscriptionConfig() if wanted else None


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
