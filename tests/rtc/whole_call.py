"""A call with everything that a browser sends."""

from tests.rtc.calling import Call, FrameSource, SoundSource
from vision_agent.rtc.own.aiortc import RTCPeerConnection


def whole(call: Call) -> None:
    """Give the caller what a browser sends: microphone, camera, screen and data channel."""
    call.caller.addTrack(SoundSource())
    call.caller.addTransceiver(FrameSource(), direction="sendrecv")
    call.caller.addTransceiver(FrameSource(), direction="sendonly")
    call.caller.createDataChannel("chat")


def cut_the_cable(pc: RTCPeerConnection) -> None:
    """Make a peer vanish: it sends nothing more, not even a goodbye."""
    for transceiver in pc.getTransceivers():
        connection = transceiver.receiver.transport.transport._connection
        for protocol in connection._protocols:
            protocol.transport.sendto = lambda *args: None
