"""ADK's Gemini with a connection that lasts as long as the conversation.

One model object serves every call: what is a call's own comes from its `ModelScope`.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.adk.models.google_llm import Gemini
from google.adk.models.llm_request import LlmRequest
from google.genai import types
from pydantic import PrivateAttr

from vision_agent.live.connection.resilient import ResilientConnection
from vision_agent.live.connection.resumption import ledger_for
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.local_process import Address, LocalLiveApi
from vision_agent.live.model_scope import model_scope

Whereabouts = Callable[[], Awaitable[Address]]
"""Says where a Live API listens; may wait until it does."""


class LiveGemini(Gemini):
    """Gemini behind a `ResilientConnection`.

    Attributes:
        timeouts: How long to wait for the service before something is done about it.
        names_user: Whether the model is told whose conversation it is, as a label. The local Live
            API keeps apart by it what users teach; Google's labels are for bills.
        whereabouts: Is asked for the service's address before each connection; None where it never
            changes.
    """

    timeouts: Timeouts = Timeouts()
    names_user: bool = False
    whereabouts: Whereabouts | None = None
    _at: tuple[Address, Gemini] | None = PrivateAttr(default=None)

    @asynccontextmanager
    async def connect(self, llm_request: LlmRequest) -> AsyncIterator[BaseLlmConnection]:
        """Open a connection and keep it; raises what the service said if it can't be made."""
        scope, config = model_scope(), llm_request.live_connect_config
        if self.names_user and scope.user_id:
            config.labels = {**(config.labels or {}), "user": scope.user_id}
        if scope.tools:
            scope.tools.take_over(llm_request)

        @asynccontextmanager
        async def open_link(handle: str | None, fresh: bool) -> AsyncIterator[BaseLlmConnection]:
            # ADK decides these once, for a connection that it would see end.
            config.session_resumption = types.SessionResumptionConfig(handle=handle)
            config.history_config = (
                types.HistoryConfig(initial_history_in_client_content=True) if fresh else None
            )
            async with self._open(llm_request) as link:
                yield link

        async with ResilientConnection(
            open_link,
            ledger_for(list(llm_request.contents), scope.handles),
            scope.connection_observer,
            scope.gate,
            played=scope.played,
            model=llm_request.model or self.model,
            timeouts=self.timeouts,
        ) as connection:
            yield connection

    @asynccontextmanager
    async def _open(self, llm_request: LlmRequest) -> AsyncIterator[BaseLlmConnection]:
        """One connection of ADK's own."""
        if self.whereabouts is None:
            async with super().connect(llm_request) as link:
                yield link
            return
        address = await self.whereabouts()
        if self._at is None or self._at[0] != address:
            self._at = (
                address,
                Gemini(model=self.model, speech_config=self.speech_config, **_at(address)),
            )
        async with self._at[1].connect(llm_request) as link:
            yield link


def resilient(model: Gemini) -> LiveGemini:
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
    base_url: str,
    certificate_pem: str,
    api_key: str = "any",
    *,
    model: str,
    speech: types.SpeechConfig | None = None,
) -> LiveGemini:
    """A model served by a Live API at another address, trusted by its own certificate.

    Args:
        base_url: `https://host:port`, without a trailing slash; google-genai makes it `wss`.
        certificate_pem: The one certificate that is trusted there.
        api_key: A key that is taken there.
        model: The name to ask for.
        speech: A voice of its own, instead of the call's.
    """
    address = Address(base_url, certificate_pem, api_key)
    return LiveGemini(model=model, names_user=True, speech_config=speech, **_at(address))


def local_gemini(
    server: LocalLiveApi, *, model: str, speech: types.SpeechConfig | None = None
) -> LiveGemini:
    """A model that the local Live API serves, wherever that is started again.

    Args:
        server: It runs.
        model: The name to ask for.
        speech: A voice of its own, instead of the call's.
    """
    served = gemini_at(*server.newest_address, model=model, speech=speech)
    served.whereabouts = server.address
    return served


def _at(address: Address) -> dict[str, Any]:
    """ADK's arguments for a model at an address."""
    trust = ssl.create_default_context(cadata=address.certificate_pem)
    return {
        "base_url": address.base_url,
        "client_kwargs": {
            "api_key": address.api_key,
            "enterprise": False,
            "http_options": types.HttpOptions(async_client_args={"ssl": trust, "max_size": None}),
        },
    }
