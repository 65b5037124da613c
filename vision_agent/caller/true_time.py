"""Keeps a recorded sound at the times of its file.

A sender that catches up after a stall sends more sound than time has passed, so its packets overlap
in a recorded call. From then on the sound is late, and silent frames after it are dropped until it
is on time again.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from vision_agent.caller.level import VOICED_RMS, rms

_ROUNDED_S = 0.001
"""Times in a file are whole milliseconds."""


def in_true_time(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Yield the frames with the times at which they are heard; drop silent ones that are late."""
    end_s: float | None = None
    for frame in frames:
        length_s = frame.samples / frame.sample_rate
        at_s = frame.time if frame.time is not None else end_s or 0.0
        if end_s is not None and at_s < end_s and frame.time_base:
            if end_s - at_s >= length_s - _ROUNDED_S and _is_silent(frame):
                continue
            frame.pts = round(end_s / frame.time_base)
            at_s = end_s
        end_s = at_s + length_s
        yield frame


def _is_silent(frame: av.AudioFrame) -> bool:
    samples = frame.to_ndarray()
    if samples.dtype.kind == "f":
        samples = samples * 32768
    return rms(np.clip(samples, -32768, 32767).astype(np.int16)) < VOICED_RMS
