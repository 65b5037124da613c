"""Carries out a scenario's faults on the connections of the server.

This module is between the server and its sockets: `Faults.admit` admits or refuses requests, and a
`FaultyConnection` wraps a connection. ``faults`` decides which faults strike, and when.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import random
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from vision_agent.local.api import server_messages
from vision_agent.local.api.json_fields import field
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.scenarios.faults import ConnectionEvent, ConnectionFaults, FaultPlan
from vision_agent.local.scenarios.scenario import (
    NOISE,
    NOT_JSON,
    TORN_OFF,
    Drop,
    ExpiredHandle,
    FaultKind,
    Garbage,
    GoAway,
    NotResumable,
    Oversized,
    Refuse,
    Scenario,
    SlowReads,
    Stall,
)

_NOT_A_HANDLE = "expired-by-the-scenario"
_NOISE_BYTES = 512
_MAX_LOG = 1000

_logger = logging.getLogger("vision_agent.local.scenarios.faults")


class Faults:
    """The faults of one server, carried out.

    Attributes:
        log: The newest faults that struck, as ``(connection number, fault)``, oldest first.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._plan = FaultPlan(scenario)
        self._noise = random.Random(scenario.seed)
        self._admitted: WeakKeyDictionary[ServerConnection, ConnectionFaults] = WeakKeyDictionary()
        self.log: deque[tuple[int, FaultKind]] = deque(maxlen=_MAX_LOG)

    def admit(self, connection: ServerConnection) -> Response | None:
        """Counts an attempt to connect; returns a response if it is refused."""
        faults, refusal = self._plan.connect()
        if refusal is None:
            self._admitted[connection] = faults
            return None
        self.struck(faults.number, refusal)
        if refusal.status is None:
            _reset(connection)
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        status = HTTPStatus(refusal.status)
        return connection.respond(status, f"{status.phrase} (as the scenario says).\n")

    @asynccontextmanager
    async def on(self, connection: ServerConnection) -> AsyncIterator[FaultyConnection]:
        """The connection for its session; faults strike while the context lasts."""
        faulty = FaultyConnection(connection, self._admitted.pop(connection), self)
        watching = asyncio.create_task(faulty.watch(), name="faults")
        try:
            yield faulty
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    def struck(self, number: int, kind: FaultKind) -> None:
        """Records and logs that a fault has struck."""
        self.log.append((number, kind))
        _logger.warning("connection %d: %s", number, kind)

    def noise(self) -> bytes:
        """Random bytes; the same sequence for the same seed."""
        return self._noise.randbytes(_NOISE_BYTES)


_SOUND_BYTES = 2 * OUTPUT_RATE_HZ // 10
"""A piece of sound as a scenario counts them, 100 ms."""


class FaultyConnection:
    """A server's connection on which a scenario's faults strike.

    It has the part of ``ServerConnection`` that a session uses.
    """

    def __init__(
        self, connection: ServerConnection, faults: ConnectionFaults, owner: Faults
    ) -> None:
        self._connection = connection
        self._faults = faults
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._stalled_until_s = 0.0
        self._slow = SlowReads(0.0)
        self._slow_until_s = 0.0
        self._not_resumable_until_s = 0.0
        self._sound_bytes = 0

    @property
    def request(self) -> Request | None:
        """The request that opened the connection."""
        return self._connection.request

    async def recv(self) -> str | bytes:
        """Receives the first message; the others come from iteration."""
        first = await self._connection.recv()
        setup = _setup_of(first)
        resuming = setup is not None and bool(_handle_of(setup))
        strikes = self._decided([ConnectionEvent.RESUMING if resuming else ConnectionEvent.SETUP])
        await self._strike(strikes)
        if setup is not None and ExpiredHandle() in strikes:
            # The session refuses this handle in its own words.
            _resumption_of(setup)["handle"] = _NOT_A_HANDLE
            return json.dumps({"setup": setup})
        return first

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        async for message in self._connection:
            yield message
            if self._loop.time() < self._slow_until_s:
                await asyncio.sleep(self._slow.each_s)

    async def send(self, message: ServerMessage) -> None:
        """Sends a message of the session, once no fault holds it up."""
        await self._stall_over()
        held_back = self._loop.time() < self._not_resumable_until_s
        if held_back and "sessionResumptionUpdate" in message:
            message = server_messages.session_resumption_update("")
        await self._connection.send(server_messages.encode(message))
        await self._strike(self._decided([*_moments(message), *self._sounds(message)]))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the connection for the session."""
        await self._connection.close(code, reason)

    async def watch(self) -> None:
        """Lets faults strike when they are due, until cancelled."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._faults.wake_at_s):
                    await self._changed.wait()
            except TimeoutError:
                # The loop may fire a timer early, by up to its clock's resolution.
                now_s = max(self._loop.time(), self._faults.wake_at_s or 0.0)
                await self._strike(self._faults.due(now_s))

    async def _stall_over(self) -> None:
        if self._loop.time() >= self._stalled_until_s:
            return
        until_s = None if math.isinf(self._stalled_until_s) else self._stalled_until_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                await self._connection.wait_closed()

    def _decided(self, moments: Sequence[ConnectionEvent]) -> list[FaultKind]:
        if not moments:
            return []
        strikes = self._faults.happened(moments, self._loop.time())
        self._changed.set()
        return strikes

    async def _strike(self, strikes: Sequence[FaultKind]) -> None:
        for kind in strikes:
            self._owner.struck(self._faults.number, kind)
            # The connection may be closed already, and then the fault has no effect.
            with contextlib.suppress(ConnectionClosed):
                await self._carry_out(kind)

    async def _carry_out(self, kind: FaultKind) -> None:
        now_s = self._loop.time()
        connection = self._connection
        match kind:
            case Drop(code, _) if code == TORN_OFF:
                connection.transport.abort()
            case Drop(code, reason):
                await connection.close(code, reason)
            case GoAway(time_left_s):
                await connection.send(server_messages.encode(server_messages.go_away(time_left_s)))
            case NotResumable(for_s):
                self._not_resumable_until_s = now_s + for_s
                await connection.send(
                    server_messages.encode(server_messages.session_resumption_update(""))
                )
            case Stall(seconds):
                self._stalled_until_s = now_s + seconds
            case SlowReads(_, for_s):
                self._slow, self._slow_until_s = kind, now_s + for_s
            case Oversized(size_bytes):
                await connection.send(oversized(size_bytes))
            case Garbage(what):
                await connection.send(self._garbage(what))
            case ExpiredHandle() | Refuse():
                pass  # carried out on the setup message or the request

    def _sounds(self, said: ServerMessage) -> list[ConnectionEvent]:
        """An event for each 100 ms of sound that has been sent, however the messages divide it."""
        parts = said.get("serverContent", {}).get("modelTurn", {}).get("parts", ())
        for part in parts:
            self._sound_bytes += len(part.get("inlineData", {}).get("data", "")) * 3 // 4
        pieces, self._sound_bytes = divmod(self._sound_bytes, _SOUND_BYTES)
        return [ConnectionEvent.AUDIO] * pieces

    def _garbage(self, what: str) -> str | bytes:
        if what == NOISE:
            return self._owner.noise()
        if what == NOT_JSON:
            return "this is not JSON {"
        return json.dumps({"aMessageThatNobodyKnows": {"since": "the scenario says so"}}).encode()


def oversized(size_bytes: int) -> bytes:
    """A valid message without content, of exactly this size."""
    head, tail = b'{"serverContent":{}', b"}"
    return head + b" " * (size_bytes - len(head) - len(tail)) + tail


def _moments(said: ServerMessage) -> list[ConnectionEvent]:
    if "setupComplete" in said:
        return [ConnectionEvent.READY]
    if "toolCall" in said:
        return [ConnectionEvent.OUTPUT]
    content = said.get("serverContent", {})
    moments = []
    if content.keys() & {"modelTurn", "outputTranscription", "inputTranscription"}:
        moments.append(ConnectionEvent.OUTPUT)
    if content.get("turnComplete"):
        moments.append(ConnectionEvent.TURN_COMPLETE)
    return moments


def _setup_of(first: str | bytes) -> dict[str, Any] | None:
    """The setup in a client's first message; None if the session will refuse it anyway."""
    try:
        message = json.loads(first)
    except (ValueError, RecursionError):
        return None
    setup = message.get("setup") if isinstance(message, dict) else None
    return setup if isinstance(setup, dict) else None


def _resumption_of(setup: dict[str, Any]) -> dict[str, Any]:
    resumption = field(setup, "session_resumption")
    return resumption if isinstance(resumption, dict) else {}


def _handle_of(setup: dict[str, Any]) -> Any:
    return _resumption_of(setup).get("handle")


def _reset(connection: ServerConnection) -> None:
    # With a linger time of zero, aborting the connection sends RST instead of FIN.
    raw = connection.transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()
