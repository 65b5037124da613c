"""One model connection: ADK's Gemini, which also says when the setup was accepted.

ADK yields no event when a connection is ready, and waits for ever for a `setupComplete` that does
not come. A session hangs its listener on a context variable, which asyncio hands down to the tasks
that ADK starts, so one model object serves every call.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.adk.models.google_llm import Gemini
from google.adk.models.llm_request import LlmRequest
from google.genai import types

from vision_agent.live.failure import LiveFailure

SETUP_TIMEOUT_S = 15.0

on_connected: ContextVar[Callable[[], None] | None] = ContextVar("on_connected", default=None)
"""Called in the session's task whenever the model has accepted a setup."""


class LiveGemini(Gemini):
    """Gemini with a deadline for the setup and word of its end."""

    @asynccontextmanager
    async def connect(self, llm_request: LlmRequest) -> AsyncIterator[BaseLlmConnection]:
        """Open a connection; `LiveFailure` if the setup is not accepted in time."""
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(SETUP_TIMEOUT_S):
                    connection = await stack.enter_async_context(super().connect(llm_request))
            except TimeoutError:
                raise LiveFailure(
                    f"The model service did not accept the call within {SETUP_TIMEOUT_S:.0f} s. "
                    "Check the network, then try again."
                ) from None
            if listener := on_connected.get():
                listener()
            yield connection


def steadied(model: Gemini) -> LiveGemini:
    """The same model with our connection."""
    if isinstance(model, LiveGemini):
        return model
    return LiveGemini(**{name: getattr(model, name) for name in type(model).model_fields})


def gemini(model: str, *, speech: types.SpeechConfig | None = None) -> LiveGemini:
    """A model of Google's; the credentials are read from the environment by google-genai.

    Args:
        model: Its name.
        speech: The agent's own voice and language, which go before the call's.
    """
    return LiveGemini(
        model=model,
        speech_config=speech,
        client_kwargs={
            # The service may send more than the 1 MiB that websockets takes by default.
            "http_options": types.HttpOptions(async_client_args={"max_size": None})
        },
    )


def gemini_at(
    base_url: str, certificate_pem: str, *, model: str, speech: types.SpeechConfig | None = None
) -> LiveGemini:
    """A model served by a Live API at another address, trusted by its own certificate.

    Args:
        base_url: `https://host:port`, without a trailing slash; google-genai makes it `wss`.
        certificate_pem: The one certificate that is trusted there.
        model: The name to ask for.
        speech: The agent's own voice and language, which go before the call's.
    """
    trust = ssl.create_default_context(cadata=certificate_pem)
    return LiveGemini(
        model=model,
        speech_config=speech,
        base_url=base_url,
        client_kwargs={
            "api_key": "local",
            "enterprise": False,
            "http_options": types.HttpOptions(async_client_args={"ssl": trust, "max_size": None}),
        },
    )
