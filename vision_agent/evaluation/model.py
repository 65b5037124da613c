"""A model of the user's choice that judges calls and plays callers: what is asked of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

KEY_VARIABLE = "VISION_AGENT_JUDGE_KEY"

LONGEST_ANSWER_CHARS = 4000
"""Of one answer, thoughts not counted; what follows is not waited for."""

ANSWER_S = 120.0
"""The longest wait for a whole answer."""


class ModelFailure(Exception):
    """The model gave no answer; the text says why, in words.

    Attributes:
        is_about_frames: It takes no pictures.
    """

    def __init__(self, words: str, *, is_about_frames: bool = False) -> None:
        super().__init__(words)
        self.is_about_frames = is_about_frames


@dataclass(frozen=True, slots=True)
class Prompt:
    """One message of a conversation with a model.

    Attributes:
        text: The words.
        who: Who says them: whoever asks, or the model itself before.
        frames: JPEG files that are shown after the words.
    """

    text: str
    who: Literal["asker", "model"] = "asker"
    frames: tuple[bytes, ...] = ()


class EvaluatorModel(Protocol):
    """A model; it may be asked several things at once.

    Attributes:
        label: Its name and where it is, for people to read.
        frames: How many pictures a request may hold; 0 for a model without eyes.
    """

    label: str
    frames: int

    async def answer(self, instruction: str, prompts: Sequence[Prompt]) -> str:
        """Return what it says, without its thoughts.

        Args:
            instruction: The system instruction.
            prompts: The conversation; the last one is the asker's.

        Raises:
            ModelFailure: It gave no answer.
        """

    async def close(self) -> None:
        """Close every connection."""


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
        model: The model's name there; None takes the only one that it has.
        gemini: A Gemini model instead, reached as google-genai's own variables say.
        key: The key; by default `VISION_AGENT_JUDGE_KEY`, then the usual variables:
            `OPENAI_API_KEY` (for OpenAI's own host alone) or `GOOGLE_API_KEY`.
        frames: How many pictures a request may hold.
        environ: Where the keys are.

    Raises:
        ModelFailure: It can't be used as it was named, or there is no key.
    """
    key = (key or environ.get(KEY_VARIABLE, "")).strip() or None
    if (url is None) == (gemini is None):
        raise ModelFailure("A judge is either the url of a server or the name of a Gemini model.")
    if gemini is not None:
        from vision_agent.evaluation.gemini_model import GeminiModel

        return GeminiModel(gemini, key, frames)
    from vision_agent.evaluation.openai_model import own_server

    return own_server(url or "", model, key, frames, environ)
