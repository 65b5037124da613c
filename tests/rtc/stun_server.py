"""A STUN server of the tests' own."""

import asyncio

from vision_agent.rtc.own.aioice import stun


class Answering(asyncio.DatagramProtocol):
    """Sends each client a response with another transaction's id, and then the right one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        for transaction, mapped in ((None, "192.0.2.66"), (request.transaction_id, "203.0.113.5")):
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction)
            answer.attributes["XOR-MAPPED-ADDRESS"] = (mapped, 4242)
            self.transport.sendto(bytes(answer), addr)
