"""Offers that are never connected."""

from aiortc import RTCConfiguration, RTCPeerConnection


async def offer() -> tuple[RTCPeerConnection, dict[str, str]]:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("audio")
    peer.addTransceiver("video")
    peer.createDataChannel("chat")
    await peer.setLocalDescription(await peer.createOffer())
    return peer, {"sdp": peer.localDescription.sdp, "type": "offer"}
