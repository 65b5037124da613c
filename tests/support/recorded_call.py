"""Recorded calls: a folder with `call.mkv` and `call.jsonl`, as a server that records writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vision_agent.recordings.lines import (
    CallLine,
    HeaderLine,
    ReceivedLine,
    SwitchedLine,
    written,
)

FPS = 4


def recorded_call(
    folder: Path,
    *lines: CallLine,
    caller: np.ndarray | None = None,
    agent: np.ndarray | None = None,
    camera: Mapping[int, tuple[int, int, int]] | None = None,
    screen: Mapping[int, tuple[int, int, int]] | None = None,
    length_ms: int = 3000,
    options: Mapping[str, Any] | None = None,
    resumed: bool = False,
) -> Path:
    """Write a recorded call; returns its folder.

    Args:
        folder: The new folder.
        lines: Its lines after the header.
        caller: The caller's sound: mono s16 at 48 kHz, from time zero on.
        agent: The agent's sound.
        camera: Colours (RGB), and the ms from which each is shown.
        screen: The same for the screen.
        length_ms: The end of the videos.
        options: The options that the call asked for.
        resumed: Whether it continued an earlier conversation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(folder / "call.mkv"), "w", format="matroska") as container:
        videos = [
            (_video(container, title), colours)
            for title, colours in (("camera", camera), ("screen", screen))
            if colours
        ]
        sounds = [
            (_sound(container, title), samples)
            for title, samples in (("caller", caller), ("agent", agent))
            if samples is not None
        ]
        for stream, colours in videos:
            _show(container, stream, colours, length_ms)
        for stream, samples in sounds:
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            container.mux([*stream.encode(frame), *stream.encode(None)])
    header = HeaderLine(
        at_ms=0,
        call_id="3f2a",
        agent="basic",
        model="local",
        options=dict(options or {}),
        resumed=resumed,
    )
    text = "".join(f"{written(line)}\n" for line in (header, *lines))
    (folder / "call.jsonl").write_text(text, encoding="utf-8")
    return folder


def typed(at_ms: int, text: str, **options: bool) -> ReceivedLine:
    """The caller typed."""
    return received(at_ms, "send-text", content=text, options=options)


def received(at_ms: int, kind: str, **data: Any) -> ReceivedLine:
    """A message of the caller's client."""
    message = {"label": "rtvi-ai", "type": kind, "id": "x", "data": data}
    return ReceivedLine(at_ms=at_ms, message=message)


def switched(at_ms: int, what: Any, on: bool) -> SwitchedLine:
    """The caller switched a device."""
    return SwitchedLine(at_ms=at_ms, what=what, on=on)


def _video(container: Any, title: str) -> Any:
    stream = container.add_stream("libvpx", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.options = {"deadline": "realtime", "lag-in-frames": "0"}
    stream.codec_context.thread_count = 1  # more of them spin
    stream.metadata["title"] = title
    return stream


def _sound(container: Any, title: str) -> Any:
    stream = container.add_stream("libopus", rate=48_000, layout="mono")
    stream.metadata["title"] = title
    return stream


def _show(
    container: Any, stream: Any, colours: Mapping[int, Sequence[int]], length_ms: int
) -> None:
    begins = sorted(colours)
    for at_ms in range(begins[0], length_ms, 1000 // FPS):
        colour = colours[max(begin for begin in begins if begin <= at_ms)]
        rgb = np.full((48, 64, 3), colour, np.uint8)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
