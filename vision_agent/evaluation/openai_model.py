"""A model behind a server with OpenAI's chat-completions interface."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from vision_agent.evaluation.model import (
    ANSWER_S,
    LONGEST_ANSWER_CHARS,
    EvaluatorModel,
    ModelFailure,
    Prompt,
)
from vision_agent.own_models import INSTALL, Brain, OwnModelError, base_url, key_for

if TYPE_CHECKING:
    from vision_agent.local.brain.failures import BrainFailure

_WORDS = {
    "away": "can't be reached",
    "model": "was not found",
    "key": "does not accept the key",
    "busy": "is busy",
    "pictures": "takes no pictures",
    "too_long": "can't take in a call of this length",
    "refused": "refused the request",
    "failed": "failed",
    "no_api": "is not there: the server does not speak OpenAI's chat interface",
    "broken": "broke its answer off",
    "slow": "was too slow",
}


def own_server(
    url: str, model: str | None, key: str | None, frames: int, environ: Mapping[str, str]
) -> EvaluatorModel:
    """Make the client; see `open_model`."""
    try:
        address = base_url(url, "judge")
    except OwnModelError:
        raise ModelFailure(
            "The judge's url can't be used: write it like http://localhost:11434/v1, without "
            "user, password and query. A key is given as 'key'."
        ) from None
    if find_spec("openai") is None:
        raise ModelFailure(f"A judge at a url needs the package openai: {INSTALL}")
    key = key or key_for(address, environ)
    return OpenAIModel(Brain(address, model, key, timeout_s=ANSWER_S), frames)


class OpenAIModel:
    """A client of one server.

    Args:
        server: The server.
        frames: How many pictures a request may hold.
    """

    def __init__(self, server: Brain, frames: int) -> None:
        from vision_agent.local.brain.chat_client import ChatClient

        self.label = server.label
        self.frames = frames
        self._name = f"The model {self.label}" if server.model else f"The model at {server.host}"
        # The same question gets the same answer, as far as the server is deterministic.
        self._client = ChatClient(server, {"temperature": 0})

    async def answer(self, instruction: str, prompts: Sequence[Prompt]) -> str:
        """See `EvaluatorModel`."""
        from vision_agent.local.brain.failures import BrainFailure

        messages = [{"role": "system", "content": instruction}, *map(_message, prompts)]
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._answer(messages)
        except TimeoutError:
            words = f"{self._name} had not finished its answer after {ANSWER_S:g} s."
            raise ModelFailure(words) from None
        except BrainFailure as failure:
            raise self._in_words(failure) from failure

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def _answer(self, messages: Sequence[Any]) -> str:
        from vision_agent.local.brain.chat_client import TextPiece
        from vision_agent.local.brain.reasoning import Reasoning

        said, reasoning = "", Reasoning()
        async with aclosing(self._client.answer(messages, ())) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextPiece):
                    written = reasoning.feed(piece.text)
                    said += "".join(part.text for part in written if part.kind == "answer")
                if len(said) >= LONGEST_ANSWER_CHARS:
                    return said[:LONGEST_ANSWER_CHARS]
        return said + "".join(part.text for part in reasoning.end() if part.kind == "answer")

    def _in_words(self, failure: BrainFailure) -> ModelFailure:
        from vision_agent.local.brain.failures import why

        words, cause = _WORDS.get(failure.kind, "gave no answer"), str(failure)
        if failure.kind == "away" and failure.__cause__ is not None:
            cause = why(failure.__cause__)
        return ModelFailure(
            f"{self._name} {words}: {cause[:300]}",
            is_about_frames=failure.kind == "pictures",
        )


def _message(prompt: Prompt) -> dict[str, Any]:
    role = "assistant" if prompt.who == "model" else "user"
    if not prompt.frames:
        return {"role": role, "content": prompt.text}
    urls = [f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" for jpeg in prompt.frames]
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": role, "content": [{"type": "text", "text": prompt.text}, *shown]}
