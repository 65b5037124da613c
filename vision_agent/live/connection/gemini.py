"""ADK's Gemini with a connection that lasts as long as the conversation.

One model object serves all calls; what differs between calls comes from their `ModelScope`.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.adk.models.google_llm import Gemini
from google.adk.models.llm_request import LlmRequest
from google.genai import types
from pydantic import PrivateAttr

from vision_agent.live.connection.resilient import ResilientConnection
from vision_agent.live.connection.resumption import ledger_for
from vision_agent.live.connection.setup_socket import SetupSocket
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.local_process import Address, LocalApi
from vision_agent.live.model_scope import model_scope
from vision_agent.live.run_config import complete_setup

AddressOf = Callable[[], Awaitable[Address]]
"""Returns the address of a Live API; may wait until it listens."""

TIMEOUTS = Timeouts()

_MARGIN_S = 5.0
"""How much later than a language model behind the local Live API is that one given up."""


class LiveGemini(Gemini):
    """Gemini behind a `ResilientConnection`.

    Attributes:
        timeouts: How long to wait for the service.
        names_user: Whether the setup carries the user's id as a label. The local Live API keeps
            what users teach apart by it; Google's labels are for billing.
        address_of: Returns the service's address before each connection; None if it never changes.
    """

    timeouts: Timeouts = TIMEOUTS
    names_user: bool = False
    address_of: AddressOf | None = None
    _at: tuple[Address, Gemini] | None = PrivateAttr(default=None)

    @asynccontextmanager
    async def connect(self, llm_request: LlmRequest) -> AsyncIterator[BaseLlmConnection]:
        """Open a connection that lasts; raises the service's own error if the first one fails."""
        scope, config = model_scope(), llm_request.live_connect_config
        if self.names_user and scope.user_id:
            config.labels = {**(config.labels or {}), "user": scope.user_id}
        if scope.tools:
            scope.tools.wrap_tools(llm_request)
        model = llm_request.model or self.model
        if scope.options is not None:
            complete_setup(llm_request, scope.options, model)

        @asynccontextmanager
        async def open_link(handle: str | None, fresh: bool) -> AsyncIterator[BaseLlmConnection]:
            # ADK sets these once, for a connection whose end it would see.
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
            overhear=scope.tools.received if scope.tools else None,
            model=model,
            timeouts=self.timeouts.for_options(scope.options),
            history_turns=scope.options.history_turns if scope.options else None,
        ) as connection:
            yield connection

    @asynccontextmanager
    async def _open(self, llm_request: LlmRequest) -> AsyncIterator[BaseLlmConnection]:
        """One of ADK's own connections."""
        if self.address_of is None:
            async with super().connect(llm_request) as link:
                yield link
            return
        address = await self.address_of()
        if self._at is None or self._at[0] != address:
            self._at = (
                address,
                Gemini(
                    model=self.model,
                    speech_config=self.speech_config,
                    **_at(address, self.timeouts),
                ),
            )
        async with self._at[1].connect(llm_request) as link:
            yield link


def made_resilient(model: Gemini) -> LiveGemini:
    """The same model behind a `ResilientConnection`."""
    if isinstance(model, LiveGemini):
        return model
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    fields["client_kwargs"] = _with_socket_options(model.client_kwargs or {}, TIMEOUTS)
    return LiveGemini(**fields)


def _with_socket_options(client_kwargs: dict[str, Any], timeouts: Timeouts) -> dict[str, Any]:
    """google-genai's arguments with the socket's options, where they do not set their own."""
    options = types.HttpOptions.model_validate(client_kwargs.get("http_options") or {})
    ours = {"create_connection": SetupSocket, **timeouts.socket_options}
    own = {**ours, **(options.async_client_args or {})}
    options = options.model_copy(update={"async_client_args": own})
    return {**client_kwargs, "http_options": options}


def gemini(model: str, *, speech: types.SpeechConfig | None = None) -> LiveGemini:
    """One of Google's models; google-genai reads the credentials from the environment.

    Args:
        model: The model's name.
        speech: The agent's own voice and language, which take precedence over the call's.
    """
    return LiveGemini(
        model=model,
        speech_config=speech,
        client_kwargs=_with_socket_options({}, TIMEOUTS),
    )


def gemini_at(
    base_url: str,
    certificate_pem: str,
    api_key: str = "any",
    *,
    model: str,
    speech: types.SpeechConfig | None = None,
    timeouts: Timeouts = TIMEOUTS,
) -> LiveGemini:
    """A model of a Live API at another address.

    Args:
        base_url: `https://host:port`, without a trailing slash; google-genai makes it `wss`.
        certificate_pem: The only certificate that is trusted there.
        api_key: A key that is accepted there.
        model: The model's name there.
        speech: The agent's own voice, which takes precedence over the call's.
        timeouts: How long to wait for the service.
    """
    return LiveGemini(
        model=model,
        names_user=True,
        speech_config=speech,
        timeouts=timeouts,
        **_at(Address(base_url, certificate_pem, api_key), timeouts),
    )


def local_gemini(
    server: LocalApi, *, model: str, speech: types.SpeechConfig | None = None
) -> LiveGemini:
    """A model of the local Live API, whose address changes when it is restarted.

    Args:
        server: The running local Live API.
        model: The model's name there.
        speech: The agent's own voice, which takes precedence over the call's.
    """
    timeouts = TIMEOUTS
    if server.answers_within_s is not None:
        longest_s = server.answers_within_s + _MARGIN_S
        timeouts = replace(TIMEOUTS, stall_s=max(TIMEOUTS.stall_s, longest_s))
    served = gemini_at(*server.newest_address, model=model, speech=speech, timeouts=timeouts)
    served.address_of = server.address
    return served


def _at(address: Address, timeouts: Timeouts) -> dict[str, Any]:
    """ADK's arguments for a model at an address."""
    trust = ssl.create_default_context(cadata=address.certificate_pem)
    options = types.HttpOptions(async_client_args={"ssl": trust})
    client_kwargs = {
        "api_key": address.api_key,
        "enterprise": False,
        "http_options": options,
    }
    return {
        "base_url": address.base_url,
        "client_kwargs": _with_socket_options(client_kwargs, timeouts),
    }
