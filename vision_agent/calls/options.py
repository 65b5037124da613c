"""What the server's operator decides about every call, as small values for each part of a call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from vision_agent.calls.recording_policy import RecordingPolicy
from vision_agent.ice_servers import IceServers
from vision_agent.live.pricing import PriceTable

ToolReports = Literal["none", "name", "full"]
"""What a caller's client learns about the agent's tools: that one runs, its name, or everything."""


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """Which frames of a camera or a screen reach the model, and in what size.

    Attributes:
        rate_hz: Frames a second at most.
        max_px: Longer side.
        max_bytes: Largest JPEG.
        change: Levels (of 255) by which a frame must differ from the last one sent; 0 sends all.
        max_gap_s: A frame is sent after this time however little it differs.
    """

    rate_hz: float
    max_px: int
    max_bytes: int
    change: float
    max_gap_s: float


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """The same for both.

    Attributes:
        camera: The caller's camera.
        screen: The caller's shared screen, in a size in which text can be read, and rarely.
        share_screen: Whether screens are looked at.
    """

    camera: FrameOptions
    screen: FrameOptions
    share_screen: bool = True


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How the agent's answers reach the caller.

    Attributes:
        barge_in_hold_ms: How long playback stays paused after a suspected barge-in ends, waiting
            for the model to confirm it; 0 never pauses.
        tool_reports: What the caller's client is told of the agent's tools.
    """

    barge_in_hold_ms: int
    tool_reports: ToolReports

    def without_barge_in(self) -> OutputOptions:
        """The same for a call whose model is not interrupted: a pause would come to nothing."""
        return replace(self, barge_in_hold_ms=0)


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How peers are reached and how long one may be silent; see `rtc.Peer`."""

    ice_servers: IceServers
    connect_timeout_s: float
    vanished_after_s: float


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a call may last.

    Attributes:
        max_call_s: Longest call; 0 for no limit.
        idle_s: Longest time in which nothing happens; 0 for no limit.
        warn_s: How long before its end the caller is warned; at most half of a limit.
    """

    max_call_s: float
    idle_s: float
    warn_s: float


@dataclass(frozen=True, slots=True)
class CallSettings:
    """All of these for one call, and which calls are recorded."""

    videos: VideoOptions
    output: OutputOptions
    peer: PeerOptions
    limits: TimeLimits
    prices: PriceTable
    recording: RecordingPolicy = field(default_factory=RecordingPolicy)
