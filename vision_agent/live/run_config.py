"""Settings → ADK's RunConfig."""

from __future__ import annotations

from google.adk.agents.run_config import RunConfig
from google.genai import types

# Without compression a session with video ends after two minutes (Live API limits); with it the
# oldest turns make room. The model's window is 128k tokens: start well before, keep half.
COMPRESSION_TRIGGER_TOKENS = 96_000
COMPRESSION_TARGET_TOKENS = 48_000


def make_run_config(*, voice: str | None = None, language: str | None = None) -> RunConfig:
    """The configuration of one call's `Runner.run_live`.

    Audio out with transcripts of both sides, session resumption, and context-window compression
    so that a call is not bounded by the two minutes a video session otherwise has.

    Args:
        voice: A prebuilt voice's name, already checked; None leaves it to the model.
        language: BCP-47 code of the agent's speech; None leaves it to the model.
    """
    speech = None
    if voice or language:
        speech = types.SpeechConfig(
            language_code=language,
            voice_config=types.VoiceConfig(
                prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=voice)
            )
            if voice
            else None,
        )
    return RunConfig(
        response_modalities=[types.Modality.AUDIO],
        speech_config=speech,
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        session_resumption=types.SessionResumptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESSION_TRIGGER_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESSION_TARGET_TOKENS),
        ),
        # A call is one run: ADK's default of 500 model calls would end a long one.
        max_llm_calls=1_000_000,
    )
