"""A recording, or a script, that calls a server as a real WebRTC peer.

A replay knows nothing of the server's inside and reaches it over HTTP and WebRTC, as a browser
does. `replay` makes one call and returns its `Report`; `script.py` is what a caller can do in it.
"""

from vision_agent.caller.failure import CallFailed, CallRefused
from vision_agent.caller.recording import BadRecording, Recording
from vision_agent.replay.caller import ReplayOptions, replay, screen_recording
from vision_agent.replay.caller_source import open_source
from vision_agent.replay.report import Report

__all__ = [
    "BadRecording",
    "CallFailed",
    "CallRefused",
    "Recording",
    "ReplayOptions",
    "Report",
    "open_source",
    "replay",
    "screen_recording",
]
