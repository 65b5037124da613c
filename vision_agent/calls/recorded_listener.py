"""Tells a call's recording of the peer's tracks."""

from __future__ import annotations

from vision_agent.calls.recording_control import RecordingControl
from vision_agent.rtc import PeerListener
from vision_agent.rtc.own.aiortc import MediaStreamTrack, RTCDataChannel


class RecordedListener:
    """Listens to a peer in a call's place, for its recording (`PeerListener`).

    Args:
        call: The call, which is told everything.
        recording: Whether it is recorded, and how.
    """

    def __init__(self, call: PeerListener, recording: RecordingControl) -> None:
        self._call, self._recording = call, recording

    def on_microphone(self, track: MediaStreamTrack) -> None:
        """The peer has an audio track."""
        self._recording.hears("caller", track)
        self._call.on_microphone(track)

    def on_camera(self, track: MediaStreamTrack) -> None:
        """The peer has a camera track."""
        self._recording.hears("camera", track)
        self._call.on_camera(track)

    def on_screen(self, track: MediaStreamTrack) -> None:
        """The peer has a screen track, which is recorded if callers may share their screen."""
        if self._recording.shares_screen:
            self._recording.hears("screen", track)
        self._call.on_screen(track)

    def on_channel(self, channel: RTCDataChannel) -> None:
        """The peer opened its data channel."""
        self._call.on_channel(channel)

    def on_connected(self) -> None:
        """The peer has connected."""
        self._recording.connected()
        self._call.on_connected()

    def on_closed(self, reason: str) -> None:
        """The peer is closed."""
        self._call.on_closed(reason)
