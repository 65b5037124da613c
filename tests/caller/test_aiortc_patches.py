"""These fail when the private parts that the caller replaces or wraps change their shape."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import aioice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from aiortc.rtp import RtpPacket

from tests.support.waiting import until
from vision_agent.caller import aiortc_patches
from vision_agent.caller.aiortc_patches import (
    gather_loopback,
    hold_back_little,
    keep_consent,
    watch_arrivals,
)


async def test_the_offer_has_a_candidate_on_the_loopback_interface_once() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.createDataChannel("chat")
    gather_loopback(peer)
    await peer.setLocalDescription(await peer.createOffer())
    candidates = [line for line in peer.localDescription.sdp.splitlines() if "candidate:" in line]
    await peer.close()
    assert sum(" 127.0.0.1 " in line for line in candidates) == 1


def test_aiortc_hands_each_packet_to_the_method_that_is_wrapped() -> None:
    parameters = inspect.signature(RTCRtpReceiver._handle_rtp_packet).parameters
    assert list(parameters) == ["self", "packet", "arrival_time_ms"]


async def test_a_packet_is_noted_when_it_arrives_and_then_handled() -> None:
    happened: list[str] = []

    class Receiver:
        async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
            happened.append(f"handled {packet.timestamp} of {arrival_time_ms}")

    receiver = Receiver()
    watch_arrivals(receiver, lambda timestamp: happened.append(f"noted {timestamp}"))
    await receiver._handle_rtp_packet(RtpPacket(timestamp=960), arrival_time_ms=7)
    assert happened == ["noted 960", "handled 960 of 7"]


async def test_an_audio_receivers_buffer_is_made_smaller() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = peer.addTransceiver("audio").receiver
    hold_back_little(receiver)
    buffer = receiver._RTCRtpReceiver__jitter_buffer
    assert (buffer.capacity, buffer._prefetch) == (4, 1)
    await peer.close()


@pytest.fixture
async def path(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Any, Any]]:
    """A caller's connection, which checks consent all the time, and what answers it."""
    monkeypatch.setattr(aiortc_patches, "CONSENT_EVERY_S", 0.05)
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.createDataChannel("chat")
    keep_consent(peer)
    gather_loopback(peer)
    (connection,) = aiortc_patches._connections(peer)
    server = aioice.Connection(ice_controlling=False, components=1)
    connection.ice_controlling = True
    for one, other in ((connection, server), (server, connection)):
        await one.gather_candidates()
        other.remote_username, other.remote_password = one.local_username, one.local_password
        for candidate in one.local_candidates:
            await other.add_remote_candidate(candidate)
        await other.add_remote_candidate(None)
    await asyncio.gather(connection.connect(), server.connect())
    yield connection, server
    await connection.close()
    await server.close()
    await peer.close()


def protocols(server: Any) -> list[Any]:
    return [pair.protocol for pair in server._nominated.values()]


async def test_a_path_slower_than_aioice_waits_keeps_its_connection(path: tuple[Any, Any]) -> None:
    connection, server = path
    checks: list[bytes] = []
    (protocol,) = protocols(server)

    def late(message: aioice.stun.Message, addr: object, send: Any = protocol.send_stun) -> None:
        checks.append(message.transaction_id)
        asyncio.get_running_loop().call_later(1.2 * aioice.stun.RETRY_RTO, send, message, addr)

    protocol.send_stun = late
    # aioice, which waits half a second for each, gives up after six.
    await until(lambda: len(set(checks)) > 7, 20, what="checks are made")
    assert connection._nominated


async def test_a_server_that_answers_no_check_is_given_up(
    path: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, server = path
    monkeypatch.setattr(aiortc_patches, "CONSENT_REPEATS", 0)
    for protocol in protocols(server):
        protocol.send_stun = lambda message, addr: None
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(connection.recv(), 10)
