"""Log-mel spectrograms as Whisper was trained with (Radford et al. 2022, section 2.2). Pure."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
HOP_SAMPLES = 160
_WINDOW_SAMPLES = 400
_HIGHEST_MEL = 45.245640471924965  # 8 kHz on Slaney's scale
_LINEAR_MELS = 15.0  # 1 kHz: the scale is logarithmic above it


def log_mel(samples: NDArray[np.floating], frames: int, bands: int = 80) -> NDArray[np.float32]:
    """The spectrogram of a window, padded with silence.

    Args:
        samples: Mono at 16 kHz, full scale 1.0; what does not fit into the window is cut off.
        frames: Length of the window in frames of 10 ms.
        bands: Mel bands, as the model asks for.

    Returns:
        An array of bands by frames.
    """
    half = _WINDOW_SAMPLES // 2
    samples = samples[: frames * HOP_SAMPLES]
    padded = np.pad(samples, (half, half + frames * HOP_SAMPLES - len(samples)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_SAMPLES)
    weighted = windows[::HOP_SAMPLES][:frames] * np.hanning(_WINDOW_SAMPLES + 1)[:-1]
    power = np.abs(np.fft.rfft(weighted, axis=1)) ** 2
    levels = np.log10(np.maximum(_filters(bands) @ power.T, 1e-10))
    scaled: NDArray[np.float64] = (np.maximum(levels, levels.max() - 8) + 4) / 4
    return scaled.astype(np.float32)


@cache
def _filters(bands: int) -> NDArray[np.float64]:
    """Triangles of equal area on Slaney's mel scale."""
    mels = np.linspace(0, _HIGHEST_MEL, bands + 2)
    logarithmic = 1000 * np.exp(np.log(6.4) / 27 * (mels - _LINEAR_MELS))
    edges_hz = np.where(mels < _LINEAR_MELS, mels * 200 / 3, logarithmic)
    bins_hz = np.fft.rfftfreq(_WINDOW_SAMPLES, 1 / RATE_HZ)
    widths = np.diff(edges_hz)[:, None]
    from_edge = bins_hz - edges_hz[:, None]
    triangles = np.minimum(from_edge[:-2] / widths[:-1], -from_edge[2:] / widths[1:])
    return np.maximum(0, triangles) * (2 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
