"""A Gemini model, asked with google-genai outside of the Live API (`generateContent`).

It was never tried against the service. The tests ask a server on this machine that follows the
documentation of the REST interface.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vision_agent.evaluation.model import (
    ANSWER_S,
    LONGEST_ANSWER_CHARS,
    ModelFailure,
    Prompt,
)

if TYPE_CHECKING:
    from google.genai import types

_WORDS = {
    400: "refused the request",
    401: "does not accept the key",
    403: "does not accept the key",
    404: "was not found",
    413: "can't take in a call of this length",
    429: "is busy, or its quota is used up",
    503: "is busy",
}
_ATTEMPTS = 3


class GeminiModel:
    """A client of one Gemini model.

    Args:
        model: The model's name.
        key: The key; None leaves it to google-genai's variables, as the address and Vertex AI are.
        frames: How many pictures a request may hold.

    Raises:
        ModelFailure: There is no key.
    """

    def __init__(self, model: str, key: str | None, frames: int) -> None:
        from google import genai
        from google.genai import types

        self.label = model
        self.frames = frames
        self._key = key
        options = types.HttpOptions(
            timeout=round(ANSWER_S * 1000),
            retry_options=types.HttpRetryOptions(
                attempts=_ATTEMPTS, initial_delay=0.5, max_delay=5, http_status_codes=[429, 503]
            ),
        )
        try:
            self._client = genai.Client(api_key=key, http_options=options).aio
        except ValueError as error:
            raise ModelFailure(
                f"There is no key for {model}: set GOOGLE_API_KEY. ({error})"
            ) from None

    async def answer(self, instruction: str, prompts: Sequence[Prompt]) -> str:
        """See `EvaluatorModel`."""
        import aiohttp
        import httpx
        from google.genai import errors, types

        config = types.GenerateContentConfig(system_instruction=instruction, temperature=0)
        try:
            async with asyncio.timeout(ANSWER_S):
                response = await self._client.models.generate_content(
                    model=self.label,
                    contents=[_content(prompt) for prompt in prompts],
                    config=config,
                )
        except TimeoutError:
            words = f"The model {self.label} had not finished its answer after {ANSWER_S:g} s."
            raise ModelFailure(words) from None
        except errors.APIError as error:
            words = _WORDS.get(error.code, "failed")
            raise self._failure(f"{words}: {error.code} {error.message or ''}") from error
        except (aiohttp.ClientError, httpx.HTTPError, OSError) as error:
            raise self._failure(f"can't be reached: {type(error).__name__}: {error}") from error
        except (ValueError, RecursionError) as error:  # JSON's and pydantic's
            raise self._failure(f"sent no answer that can be read: {error}") from error
        if text := _text(response):
            return text[:LONGEST_ANSWER_CHARS]
        raise self._failure(f"gave no answer{_why_not(response)}.")

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _failure(self, words: str) -> ModelFailure:
        if self._key:
            words = words.replace(self._key, "…")
        return ModelFailure(f"The model {self.label} {words[:300]}")


def _content(prompt: Prompt) -> types.Content:
    from google.genai import types

    shown = [types.Part.from_bytes(data=jpeg, mime_type="image/jpeg") for jpeg in prompt.frames]
    role = "model" if prompt.who == "model" else "user"
    return types.Content(role=role, parts=[types.Part(text=prompt.text), *shown])


def _text(response: types.GenerateContentResponse) -> str:
    content = response.candidates[0].content if response.candidates else None
    parts = (content.parts if content else None) or []
    return "".join(part.text for part in parts if part.text and not part.thought)


def _why_not(response: types.GenerateContentResponse) -> str:
    feedback = response.prompt_feedback
    blocked = feedback.block_reason if feedback else None
    finished = response.candidates[0].finish_reason if response.candidates else None
    named = ", ".join(reason.name for reason in (blocked, finished) if reason is not None)
    return f" ({named})" if named else ""
