"""Opens the model that a suite names."""

from __future__ import annotations

import os
from collections.abc import Mapping

from vision_agent.evaluation.gemini_model import GeminiModel
from vision_agent.evaluation.model import EvaluatorModel, ModelFailure
from vision_agent.evaluation.openai_model import own_server


def open_model(
    *,
    url: str | None = None,
    model: str | None = None,
    gemini: str | None = None,
    key: str | None = None,
    frames: int = 4,
    environ: Mapping[str, str] = os.environ,
) -> EvaluatorModel:
    """Make the client of a model; nothing is asked yet.

    Args:
        url: A server with OpenAI's chat-completions interface; needs the extra `brain`.
        model: The model's name there; None takes the server's only model.
        gemini: A Gemini model instead, configured by google-genai's own variables.
        key: The key; by default `OPENAI_API_KEY` (for OpenAI's own host alone) or `GOOGLE_API_KEY`.
        frames: How many images a request may hold.
        environ: The environment that holds the keys.

    Raises:
        ModelFailure: It can't be used as it was named, or there is no key.
    """
    if (url is None) == (gemini is None):
        raise ModelFailure("A judge is either the url of a server or the name of a Gemini model.")
    if gemini is not None:
        return GeminiModel(gemini, key, frames)
    return own_server(url or "", model, key, frames, environ)
