"""Finds the stretches of a sound in which somebody speaks. Pure: samples in, spans out.

The caller measures the sound before it sends it, independently of what the server detects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WINDOW_MS = 10
# A shorter pause is a breath inside an utterance. A longer one is where most voice agents, with
# 500-800 ms of silence as their end of speech, take their turn.
PAUSE_MS = 700
_SHORTEST_MS = 60  # shorter sounds are clicks and breaths
_SILENT_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in ms; `end_ms` is the end of the last voiced window."""

    start_ms: int
    end_ms: int


def utterances(samples: npt.NDArray[np.int16], rate_hz: int) -> list[Span]:
    """Find the utterances in mono s16 samples, in order.

    The threshold adapts to the sound: well above its noise floor, well below its loud parts.

    Args:
        samples: Mono s16, any length.
        rate_hz: Their sample rate.

    Returns:
        Spans in ms from the first sample, at least `PAUSE_MS` apart; empty if all is quiet.
    """
    level = _level_dbfs(samples, rate_hz)
    if not level.size:
        return []
    loud, floor = float(np.percentile(level, 95)), float(np.percentile(level, 10))
    # A short question in a long silence has few loud windows; then the loudest ones decide.
    loud = max(loud, float(level.max()) - 10)
    if loud < _SILENT_DBFS:
        return []
    threshold = min(max(floor + 10, loud - 30, _SILENT_DBFS), loud - 12)
    spans: list[Span] = []
    for window in np.flatnonzero(level > threshold):
        start_ms, end_ms = int(window) * WINDOW_MS, (int(window) + 1) * WINDOW_MS
        if spans and start_ms - spans[-1].end_ms < PAUSE_MS:
            spans[-1] = Span(spans[-1].start_ms, end_ms)
        else:
            spans.append(Span(start_ms, end_ms))
    return [span for span in spans if span.end_ms - span.start_ms >= _SHORTEST_MS]


def _level_dbfs(samples: npt.NDArray[np.int16], rate_hz: int) -> npt.NDArray[np.float64]:
    """RMS of each `WINDOW_MS` window in dBFS; silence is -100."""
    size = rate_hz * WINDOW_MS // 1000
    count = len(samples) // size
    if not count:
        return np.zeros(0)
    windows = samples[: count * size].reshape(count, size)
    rms = np.sqrt((windows.astype(np.float32) ** 2).mean(axis=1, dtype=np.float64))
    return np.asarray(20 * np.log10(np.maximum(rms, 0.33) / 32768), np.float64)
