"""The peer's side of a call: WebRTC in and out, by way of aiortc.

This package imports nothing from the model's side. Its interface is PCM, JPEG and callbacks.
"""

from vision_agent.rtc.aiortc_ice import addresses_of_machine
from vision_agent.rtc.aiortc_patches import install
from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.camera import Camera, Frame
from vision_agent.rtc.change_detector import ChangeDetector
from vision_agent.rtc.channel import Channel, ChannelListener, ChannelWatch
from vision_agent.rtc.frame_size import FrameSize
from vision_agent.rtc.microphone import Microphone
from vision_agent.rtc.network import Network
from vision_agent.rtc.offer import CannotRenegotiate, Offer
from vision_agent.rtc.peer import Peer, PeerClosed, PeerListener
from vision_agent.rtc.speaker import Speaker
from vision_agent.rtc.voice_activity import VoiceActivity

__all__ = [
    "BadOffer",
    "Camera",
    "CannotRenegotiate",
    "ChangeDetector",
    "Channel",
    "ChannelListener",
    "ChannelWatch",
    "Frame",
    "FrameSize",
    "Microphone",
    "Network",
    "Offer",
    "Peer",
    "PeerClosed",
    "PeerListener",
    "Speaker",
    "VoiceActivity",
    "addresses_of_machine",
    "install",
]
