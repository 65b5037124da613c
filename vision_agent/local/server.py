"""The local Live API's endpoint: TLS WebSockets on this machine, each with a `Session`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

import websockets.asyncio.server as websocket_server
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from vision_agent.local.api import rest
from vision_agent.local.api.auth_tokens import AuthTokens, constrained, expired
from vision_agent.local.api.credentials import Credentials
from vision_agent.local.api.endpoint import SERVED_PATHS, Endpoint, find_endpoint
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.json_fields import INVALID_ARGUMENT, POLICY, Refused, invalid
from vision_agent.local.api.limits import SERVICE, Limits
from vision_agent.local.api.resumption_handles import ResumptionHandles
from vision_agent.local.api.role_engine import engine_for
from vision_agent.local.api.send_queue import ClientTooSlow
from vision_agent.local.api.server_messages import ServerMessage, encode
from vision_agent.local.api.session import Session
from vision_agent.local.api.setup_message import Setup, load_setup, read_setup
from vision_agent.local.certificate import make_tls
from vision_agent.local.door import Door
from vision_agent.local.lines import Lines, NoLine
from vision_agent.local.posting import PostingConnection
from vision_agent.local.scenarios.faulty_connection import Faults, FaultyConnection
from vision_agent.local.scenarios.scenario import Scenario
from vision_agent.local.scenarios.scenario_engine import ScenarioEngine

MAX_CONNECTIONS = 64
"""Most connections at once. A further one replaces a silent one, or is refused with 503."""

MAX_HANDSHAKES = 32
"""Connections that may be in the TLS or HTTP handshake at once."""

HANDSHAKE_WITHIN_S = 10.0
"""How long a connection may take for TLS and HTTP."""

SETUP_WITHIN_S = 30.0
"""How long a connection may take for its setup message. The service waited for more than 12 s in a
recording; that it ever closes is not known."""

CLOSE_WITHIN_S = 0.5
"""How long a client may take for the closing handshake before its connection is cut."""

USER_HEADER = "x-vision-agent-user"
"""Header that names the user of a connection, like the label "user" of the setup. It is optional
and an extension of the Live API."""

_INTERNAL_ERROR = 1011

_E = TypeVar("_E", bound=BaseException)

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LocalServer:
    """A listening server.

    Attributes:
        port: The TCP port on which it listens.
        certificate_pem: The certificate that clients have to trust.
        websockets: The listening sockets and the open connections.
        handles: The resumption handles that are valid.
        faults: The faults of the scenario, if one was given.
    """

    port: int
    certificate_pem: str
    websockets: websocket_server.Server
    handles: ResumptionHandles = field(default_factory=ResumptionHandles)
    faults: Faults | None = None

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self.websockets.connections)

    async def close(self) -> None:
        """Closes every connection (1001), ends every session and stops listening."""
        self.websockets.close()
        await self.websockets.wait_closed()


async def serve(
    host: str,
    port: int,
    engine: EnginePort | None,
    *,
    max_connections: int = MAX_CONNECTIONS,
    setup_within_s: float = SETUP_WITHIN_S,
    limits: Limits = SERVICE,
    scenario: Scenario | None = None,
    api_key: str | None = None,
    translates: bool = False,
) -> LocalServer:
    """Starts a server. It does not close the engine.

    Args:
        host: The address to listen on; the certificate is made for 127.0.0.1.
        port: The TCP port, or 0 for any free one.
        engine: Transcribes, answers and speaks; None only with a scenario that needs no engine.
        max_connections: How many clients may be connected at once.
        setup_within_s: How long a client may take to send its setup message.
        limits: How long connections and sessions may last, and how much they may hold.
        scenario: Scripted transcripts, answers and faults; None for none.
        api_key: The only key that is accepted; None accepts every key.
        translates: Whether the engine can translate: a language model answers in it.

    Raises:
        OSError: The port is in use.
        ValueError: There is no engine, and the scenario needs one.
    """
    faults = Faults(scenario) if scenario and scenario.faults else None
    engine = ScenarioEngine(scenario or Scenario(), engine) if scenario or not engine else engine
    tls, certificate_pem = make_tls()
    door = Door(host, port, MAX_HANDSHAKES)
    lines = Lines[websocket_server.ServerConnection](max_connections)
    service = _Service(
        engine,
        scenario is not None,
        translates and scenario is None,
        door,
        lines,
        setup_within_s,
        limits,
        faults,
        api_key,
        scenario.habits if scenario else {},
    )
    server = await websocket_server.serve(
        service.converse,
        sock=door,
        ssl=tls,
        process_request=service.admit,
        create_connection=PostingConnection,
        # Audio does not compress, and on one machine there is no bandwidth to save.
        compression=None,
        max_size=limits.message_bytes,
        open_timeout=min(setup_within_s, HANDSHAKE_WITHIN_S),
        close_timeout=CLOSE_WITHIN_S,
        server_header=None,
    )
    address = next(iter(server.sockets)).getsockname()
    return LocalServer(int(address[1]), certificate_pem, server, service.handles, faults)


@dataclass(slots=True)
class _Service:
    """The state that the connections of one server share."""

    engine: EnginePort
    scripted: bool
    translates: bool
    door: Door
    lines: Lines[websocket_server.ServerConnection]
    setup_within_s: float
    limits: Limits
    faults: Faults | None = None
    api_key: str | None = None
    habits: Mapping[str, Any] = field(default_factory=dict)
    handles: ResumptionHandles = field(default_factory=ResumptionHandles)
    tokens: AuthTokens = field(default_factory=AuthTokens)
    goodbyes: set[asyncio.Task[None]] = field(default_factory=set)

    def admit(
        self, connection: websocket_server.ServerConnection, request: Request
    ) -> Response | None:
        """Answers a request that does not become a WebSocket; None lets it become one."""
        posted = connection.posted if isinstance(connection, PostingConnection) else None
        answer = rest.answer(
            posted.method if posted else "GET",
            request.path,
            request.headers,
            posted.body if posted else b"",
            self.tokens,
            self.api_key,
            datetime.now(UTC),
        )
        if answer is not None:
            return _response(connection, answer)
        if find_endpoint(request.path) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, f"No such service. {SERVED_PATHS}\n")
        now_s = asyncio.get_running_loop().time()
        # A connection that broke during its handshake never reached `converse`.
        for one in [one for one in self.lines if one.state is State.CLOSED]:
            self.lines.leave(one)
        try:
            silent = self.lines.take(connection, connection.remote_address[0], now_s)
        except NoLine as refused:
            return _no_line(connection, of_address=refused.of_address)
        if silent is not None:
            goodbye = asyncio.create_task(_say_goodbye(silent))
            self.goodbyes.add(goodbye)
            goodbye.add_done_callback(self.goodbyes.discard)
        self.door.let_in(connection.remote_address)
        return self.faults.admit(connection) if self.faults else None

    async def converse(self, connection: websocket_server.ServerConnection) -> None:
        """Serve one connection, from its first message to its close."""
        _logger.debug("connected: %s", connection.remote_address)
        try:
            if self.faults:
                async with self.faults.on(connection) as faulty:
                    await self._serve_session(connection, faulty)
            else:
                await self._serve_session(connection, connection)
        except* ConnectionClosed:
            pass
        except* Refused as group:
            refused = _first(group)
            _logger.debug("refused: %s", refused)
            if refused.last_message is not None:
                with contextlib.suppress(ConnectionClosed):
                    await connection.send(encode(refused.last_message))
            await connection.close(refused.code, refused.reason)
        except* ClientTooSlow as group:
            _logger.debug("given up: %s", _first(group))
            await connection.close(POLICY, "The client does not read its messages.")
        except* Exception:
            _logger.exception("a session of the local Live API failed")
            await connection.close(_INTERNAL_ERROR, "Internal error encountered.")
        finally:
            self.lines.leave(connection)
            _logger.debug("disconnected: %s", connection.remote_address)

    async def _serve_session(
        self,
        connection: websocket_server.ServerConnection,
        wire: websocket_server.ServerConnection | FaultyConnection,
    ) -> None:
        request = connection.request
        assert request is not None
        endpoint = find_endpoint(request.path)
        assert endpoint is not None
        try:
            async with asyncio.timeout(self.setup_within_s):
                first = await wire.recv()
        except TimeoutError:
            raise Refused(POLICY, "The setup message did not come in time.") from None
        # The refusal waits for the client's setup message: google-genai reports an earlier close as
        # a failure to send, without the reason.
        credentials = Credentials.of(request.path, request.headers)
        credentials.check(endpoint, self.api_key)
        setup, lasts_s = self._setup(first, endpoint, credentials)
        loop = asyncio.get_running_loop()

        async def send(message: ServerMessage) -> None:
            self.lines.stirred(connection, loop.time())
            if isinstance(wire, FaultyConnection):
                await wire.send(message)
            else:
                await wire.send(encode(message))

        async def received() -> AsyncIterator[str | bytes]:
            async for message in wire:
                self.lines.stirred(connection, loop.time())
                if setup.ends_at_first_message:
                    raise invalid(INVALID_ARGUMENT)
                yield message

        session = Session(
            setup,
            engine_for(
                setup,
                self.engine,
                scripted=self.scripted,
                translates=self.translates,
            ),
            self.handles,
            send,
            user=_user(request) or setup.user,
            limits=self.limits,
        )
        _logger.debug("session %s: %s", session.id, setup.model.name)
        try:
            with self.handles.open(session.id):
                async with asyncio.timeout(lasts_s) as lasting:
                    await session.run(received())
        except TimeoutError:
            if lasting.expired():
                raise expired() from None
            raise

    def _setup(
        self, first: str | bytes, endpoint: Endpoint, credentials: Credentials
    ) -> tuple[Setup, float | None]:
        """The setup that counts, and how long its token lasts, in seconds; None for no token."""
        given = load_setup(first)
        if not endpoint.constrained:
            return read_setup(given, endpoint, self.habits), None
        now = datetime.now(UTC)
        token = self.tokens.open(credentials.ephemeral or "", given, now)
        lasts_s = (token.expires - now).total_seconds()
        return read_setup(constrained(given, token), endpoint, self.habits), lasts_s


def _response(connection: websocket_server.ServerConnection, answer: rest.RestAnswer) -> Response:
    if isinstance(answer.body, str):
        return connection.respond(HTTPStatus(answer.status), answer.body)
    response = connection.respond(HTTPStatus(answer.status), json.dumps(answer.body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


async def _say_goodbye(silent: websocket_server.ServerConnection) -> None:
    if silent.state is State.OPEN:
        await silent.close(POLICY, "Nothing was sent for a while, and others wait for the line.")
    else:
        silent.transport.abort()


def _no_line(connection: websocket_server.ServerConnection, *, of_address: bool) -> Response:
    response = connection.respond(
        HTTPStatus.TOO_MANY_REQUESTS if of_address else HTTPStatus.SERVICE_UNAVAILABLE,
        "The local Live API has too many connections from your address.\n"
        if of_address
        else "The local Live API has no free connection.\n",
    )
    response.headers["Retry-After"] = "5"
    return response


def _user(request: Request) -> str:
    """The user that the header names; bytes that are not UTF-8 are replaced."""
    name: str = request.headers.get(USER_HEADER, "")
    return name.encode(errors="replace").decode()


def _first(group: BaseExceptionGroup[_E]) -> _E:
    """The first single exception in a group of groups."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
