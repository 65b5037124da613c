"""These fail when the private parts that the caller replaces or wraps change their shape."""

import inspect

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from aiortc.rtp import RtpPacket

from vision_agent.caller.aiortc_patches import (
    gather_loopback,
    hold_back_little,
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
