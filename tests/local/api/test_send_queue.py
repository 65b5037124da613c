"""The messages that wait to be sent."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.waiting import until
from vision_agent.local.api.send_queue import MAX_SPEECH, MAX_WAITING, ClientTooSlow, SendQueue
from vision_agent.local.api.server_messages import ServerMessage


class Socket:
    """Takes messages while it is open, and lets the sender wait while it is not."""

    def __init__(self) -> None:
        self.sent: list[ServerMessage] = []
        self.open = asyncio.Event()

    async def send(self, message: ServerMessage) -> None:
        await self.open.wait()
        self.sent.append(message)


async def until_sent(socket: Socket, count: int) -> None:
    await until(lambda: len(socket.sent) >= count)


async def test_messages_go_out_in_the_order_they_came() -> None:
    socket = Socket()
    socket.open.set()
    queue = SendQueue(socket.send)
    sending = asyncio.create_task(queue.run())
    queue.put({"said": "1"})
    await queue.put_speech({"said": "2"})
    await until_sent(socket, 2)
    queue.put({"said": "3"})
    await until_sent(socket, 3)
    sending.cancel()
    assert socket.sent == [{"said": "1"}, {"said": "2"}, {"said": "3"}]


async def test_speech_that_waits_can_be_taken_back_and_nothing_else() -> None:
    socket = Socket()
    queue = SendQueue(socket.send)
    await queue.put_speech({"said": "speech"})
    queue.put({"said": "heard"})
    await queue.put_speech({"said": "more speech"})
    assert queue.drop_speech() == 2
    queue.put({"said": "interrupted"})
    socket.open.set()
    sending = asyncio.create_task(queue.run())
    await until_sent(socket, 2)
    sending.cancel()
    assert socket.sent == [{"said": "heard"}, {"said": "interrupted"}]


@pytest.mark.parametrize("make_room", ["send", "drop"])
async def test_whoever_makes_speech_waits_for_room(make_room: str) -> None:
    socket = Socket()
    queue = SendQueue(socket.send)
    for _ in range(MAX_SPEECH):
        await queue.put_speech({"said": "speech"})
    waiting = asyncio.create_task(queue.put_speech({"said": "one more"}))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    socket.open.set()
    sending = asyncio.create_task(queue.run())
    if make_room == "drop":
        queue.drop_speech()
    async with asyncio.timeout(5):
        await waiting
    sending.cancel()


async def test_a_client_that_reads_nothing_is_given_up() -> None:
    queue = SendQueue(Socket().send)
    for _ in range(MAX_WAITING):
        queue.put({"said": "message"})
    with pytest.raises(ClientTooSlow):
        queue.put({"said": "one more"})
