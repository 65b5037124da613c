"""The settings of models of the user's own: a brain, ears, a voice, a larger Whisper.

`vision_agent.own_models` reads them; docs/own-models.md says what each means.
"""

from __future__ import annotations

import os

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from vision_agent.own_models import KEYS, OPTIONS, OwnModels


class OwnModelSettings(BaseSettings):
    """Each is a variable; all but the keys are flags, too. `voice` is an answer's option."""

    brain: str | None = Field(
        default=None,
        description="A server with OpenAI's chat-completions interface, whose model answers "
        "instead of the local engine, e.g. http://localhost:11434/v1.",
    )
    brain_model: str | None = Field(
        default=None, description="The model's name there. Default: the only one it has."
    )
    brain_key: SecretStr | None = Field(
        default=None,
        description="The server's key. Default: OPENAI_API_KEY, for OpenAI's own host alone.",
    )
    brain_images: int = Field(
        default=1,
        ge=0,
        le=8,
        description="How many of the newest frames the model is shown; 0: it has no vision.",
    )
    brain_image_size: int = Field(
        default=640, ge=64, le=4096, description="Longer side of those frames, in pixels."
    )
    brain_timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=600,
        description="The longest wait for the model's first word, and between words.",
    )
    whisper: str | None = Field(
        default=None,
        description="The Whisper model of the local engine: a folder in CTranslate2's format, or a "
        "name that faster-whisper downloads, e.g. small.en. Default: the bundled base model.",
    )

    ears: str | None = Field(
        default=None,
        description="A server with OpenAI's transcription interface, which recognises speech "
        "instead of the local engine, e.g. http://localhost:8000/v1.",
    )
    ears_model: str | None = Field(
        default=None, description="The model's name there. Default: the only one it has."
    )
    ears_key: SecretStr | None = Field(default=None, description="As brain_key.")
    voice_model: str | None = Field(
        default=None,
        description="The model's name at the server that `voice` names. Default: the only one.",
    )
    voice_speaker: str | None = Field(
        default=None, description="The voice's name at that server. Default: alloy."
    )
    voice_key: SecretStr | None = Field(default=None, description="As brain_key.")

    def own_models(self) -> OwnModels:
        """The user's own servers that take over parts of the local Live API's work.

        Raises:
            OwnModelError: The name of a server is unusable.
        """
        options = {name: getattr(self, name) for name in (*OPTIONS, *KEYS)}
        for name in KEYS:
            options[name] = options[name] and options[name].get_secret_value()
        return OwnModels.read(options, os.environ)
