"""What waits to be sent."""

from __future__ import annotations

import asyncio

import pytest

from vision_agent.local.api.send_queue import MAX_SPEECH, MAX_WAITING, ClientTooSlow, SendQueue


class Socket:
    """Takes messages while it is open, and lets the sender wait while it is not."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.open = asyncio.Event()

    async def send(self, message: bytes) -> None:
        await self.open.wait()
        self.sent.append(message)


async def until_sent(socket: Socket, count: int) -> None:
    async with asyncio.timeout(5):
        while len(socket.sent) < count:
            await asyncio.sleep(0)


async def test_messages_go_out_in_the_order_they_came() -> None:
    socket = Socket()
    socket.open.set()
    outbox = SendQueue(socket.send)
    sending = asyncio.create_task(outbox.run())
    outbox.put(b"1")
    await outbox.put_speech(b"2")
    await until_sent(socket, 2)
    outbox.put(b"3")
    await until_sent(socket, 3)
    sending.cancel()
    assert socket.sent == [b"1", b"2", b"3"]


async def test_speech_that_waits_can_be_taken_back_and_nothing_else() -> None:
    socket = Socket()
    outbox = SendQueue(socket.send)
    await outbox.put_speech(b"speech")
    outbox.put(b"heard")
    await outbox.put_speech(b"more speech")
    assert outbox.drop_speech() == 2
    outbox.put(b"interrupted")
    socket.open.set()
    sending = asyncio.create_task(outbox.run())
    await until_sent(socket, 2)
    sending.cancel()
    assert socket.sent == [b"heard", b"interrupted"]


@pytest.mark.parametrize("make_room", ["send", "drop"])
async def test_whoever_makes_speech_waits_for_room(make_room: str) -> None:
    socket = Socket()
    outbox = SendQueue(socket.send)
    for _ in range(MAX_SPEECH):
        await outbox.put_speech(b"speech")
    waiting = asyncio.create_task(outbox.put_speech(b"one more"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    socket.open.set()
    sending = asyncio.create_task(outbox.run())
    if make_room == "drop":
        outbox.drop_speech()
    async with asyncio.timeout(5):
        await waiting
    sending.cancel()


async def test_a_client_that_reads_nothing_is_given_up() -> None:
    outbox = SendQueue(Socket().send)
    for _ in range(MAX_WAITING):
        outbox.put(b"message")
    with pytest.raises(ClientTooSlow):
        outbox.put(b"one more")
