"""A Live API whose messages and closes a test scripts, behind a relay that can withhold bytes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from tests.support.recorded_service import kind_of
from vision_agent.local.certificate import make_tls

TURN_ENDS = {"serverContent": {"turnComplete": True}}


def says(words: str) -> dict:
    """A piece of a spoken answer: 20 ms of sound with its words, as 3.x models send them."""
    pcm = base64.b64encode(b"\x10\x00" * 480).decode()
    parts = [{"inlineData": {"data": pcm, "mimeType": "audio/pcm;rate=24000"}}]
    return {
        "serverContent": {"modelTurn": {"parts": parts}, "outputTranscription": {"text": words}}
    }


def handle(name: str) -> dict:
    return {"sessionResumptionUpdate": {"newHandle": name, "resumable": True}}


def go_away(time_left: str) -> dict:
    return {"goAway": {"timeLeft": time_left}}


class Connection:
    """One connection that a client has made.

    Attributes:
        number: 1 for the first.
        setup: The client's setup.
        received: The client's messages after the setup.
    """

    def __init__(self, socket: ServerConnection, number: int, setup: dict) -> None:
        self._socket = socket
        self.number = number
        self.setup = setup
        self.received: list[dict] = []
        self._news = asyncio.Condition()

    @property
    def handle(self) -> str | None:
        """The handle that the client resumes with."""
        return (self.setup.get("sessionResumption") or {}).get("handle")

    @property
    def questions(self) -> int:
        """Questions so far, without the content that completes an initial history (documented)."""
        history = bool(self.setup.get("historyConfig"))
        questions = [message for message in self.received if kind_of(message) == "question"]
        told = [message for message in questions if "client_content" in message][:history]
        return len(questions) - len(told)

    @property
    def words(self) -> str:
        """All words that the client has sent, as JSON."""
        return json.dumps([m for m in self.received if kind_of(m) in ("question", "context")])

    async def send(self, *messages: dict) -> None:
        for message in messages:
            await self._socket.send(json.dumps(message).encode())

    async def asked(self, questions: int = 1) -> None:
        """Wait until the client has asked this many questions on this connection."""
        async with self._news:
            await self._news.wait_for(lambda: self.questions >= questions)

    async def answer(self, words: str) -> None:
        """Answer, in a turn of its own."""
        await self.send(says(words), {"serverContent": {"generationComplete": True}}, TURN_ENDS)

    @property
    def closes(self) -> bool:
        """Whether the client has begun to close the connection."""
        return self._socket.state is not State.OPEN

    async def close(self, code: int, reason: str = "") -> None:
        await self._socket.close(code, reason)

    async def read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._socket:
                self.received.append(json.loads(text))
                async with self._news:
                    self._news.notify_all()


Script = Callable[[Connection], Coroutine[None, None, None]]
"""What the service does on a connection; when it returns, the connection stays open."""


class ScriptedService:
    """The service, and the relay in front of it.

    Attributes:
        connections: Every connection whose setup has arrived.
        opened_s: When each TCP connection was opened, on the loop's clock.
        closed_s: When the client closed each of them, in closing order.
        most_at_once: The largest number of TCP connections that were open at the same time.
        delay_s: The delay of the service's bytes to the client.
        withholds: Whether the service's bytes are withheld from the client at present.
    """

    def __init__(self, script: Script, certificate_pem: str) -> None:
        self._script = script
        self.certificate_pem = certificate_pem
        self.port = 0
        self.behind = 0
        self.connections: list[Connection] = []
        self.opened_s: list[float] = []
        self.closed_s: list[float] = []
        self.most_at_once = 0
        self.delay_s = 0.0
        self.withholds: Callable[[], bool] = lambda: False

    async def take(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            setup = json.loads(await socket.recv())["setup"]
            connection = Connection(socket, len(self.connections) + 1, setup)
            self.connections.append(connection)
            await connection.send({"setupComplete": {}})
            playing = asyncio.create_task(self._script(connection))
            try:
                await connection.read()
            finally:
                playing.cancel()
                await asyncio.wait([playing])
                if not playing.cancelled():
                    playing.result()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now_s = asyncio.get_running_loop().time
        self.opened_s.append(now_s())
        self.most_at_once = max(self.most_at_once, len(self.opened_s) - len(self.closed_s))
        from_service, to_service = await asyncio.open_connection("127.0.0.1", self.behind)

        async def up() -> None:
            try:
                while data := await reader.read(65536):
                    to_service.write(data)
            finally:
                self.closed_s.append(now_s())
                to_service.close()

        coming: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def take() -> None:
            data = b"-"
            while data:
                data = await from_service.read(65536)
                coming.put_nowait((now_s(), data))

        async def down() -> None:
            while True:
                came_s, data = await coming.get()
                await self._held_back(came_s)
                if not data:
                    writer.close()
                    return
                writer.write(data)

        downwards = [asyncio.create_task(take()), asyncio.create_task(down())]
        with suppress(OSError):
            await up()
        for task in downwards:
            task.cancel()
        writer.close()

    async def _held_back(self, came_s: float) -> None:
        now_s = asyncio.get_running_loop().time
        while self.withholds() or now_s() < came_s + self.delay_s:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def scripted_service(script: Script) -> AsyncIterator[ScriptedService]:
    """The service, on a free port of the loopback interface."""
    tls, certificate_pem = make_tls()
    service = ScriptedService(script, certificate_pem)
    behind = await serve(service.take, "127.0.0.1", 0, ssl=tls, max_size=None)
    service.behind = behind.sockets[0].getsockname()[1]
    relay = await asyncio.start_server(service.relay, "127.0.0.1", 0)
    service.port = relay.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        relay.close()
        behind.close()
        await behind.wait_closed()
