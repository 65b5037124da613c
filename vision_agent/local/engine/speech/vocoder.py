"""Makes many speakers of one: pitch, melody, formants, timbre and breath. Pure.

The speech network has a single voice. Its spectra are taken apart as a vocoder does: the envelope
of the harmonics is read at the harmonics, stretched, and given to harmonics of another pitch with
the phases of a minimum-phase filter. The aperiodic part is stretched in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hibari import dsp
from numpy.typing import NDArray

from vision_agent.local.engine.speech.speech_network import Floats, SpeechFrames
from vision_agent.local.engine.speech.voices import VoiceShape

RATE_HZ = dsp.SR
_HOP, _WINDOW = dsp.HOP, dsp.N_FFT
_BINS = _WINDOW // 2 + 1
_BIN_HZ = RATE_HZ / _WINDOW
_VOICED_HZ = 40.0

# The first block is short because somebody waits for it; longer ones cost less for each frame.
_FIRST_BLOCK_FRAMES = 16
_BLOCK_FRAMES = 64

# The network's limit for a logarithm of an amplitude.
_LOUDEST = 7.0
_LEAST_WEIGHT = 1e-11
_FEWEST_FRAMES = 3  # the shortest sound that a window can be reflected in
# Its sound is below -60 dBFS.
_SILENT_ENERGY = 10**-2.6
_MARGIN_FRAMES = 2
# Moves the origin of a frame's spectrum from the start of its window to the middle.
_FROM_THE_MIDDLE = 1 - 2 * (np.arange(_BINS) % 2).astype(np.float32)

Complexes = NDArray[np.complex64]
_Reals = NDArray[np.floating]


def sound(frames: SpeechFrames, shape: VoiceShape) -> Iterator[Floats]:
    """Synthesises the frames.

    Args:
        frames: The network's frames, spoken at the shape's pace.
        shape: The speaker.

    Yields:
        Samples at 24 kHz, full scale 1, in blocks of less than a second; together 300 for each
        frame that is not in the silence around the words.
    """
    frames = _without_silence(frames)
    count = len(frames.pitch_hz)
    if count < _FEWEST_FRAMES:
        return
    pulses = np.pad(dsp.pulses(_melody(frames.pitch_hz, shape)), _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(pulses, _WINDOW)[::_HOP]
    level, weight = _OverlapAdd(), _OverlapAdd()
    start, size = 0, _FIRST_BLOCK_FRAMES
    while start < count:
        part = slice(start, min(start + size, count))
        source = np.fft.rfft(windows[part] * dsp.WIN_SRC, axis=1)
        spectra = source * _filters(frames, part, shape) + _free_spectra(frames, part, shape)
        sums = level.add(np.fft.irfft(spectra, _WINDOW, axis=1) * dsp.WIN)
        weights = weight.add(np.broadcast_to(dsp.WIN**2, (len(source), _WINDOW)))
        if part.stop == count:
            sums = np.concatenate((sums, level.rest[:-_HOP]))
            weights = np.concatenate((weights, weight.rest[:-_HOP]))
        begin = _WINDOW // 2 if start == 0 else 0  # the first frame is centred on the first sample
        yield (sums[begin:] / np.maximum(weights[begin:], _LEAST_WEIGHT)).astype(np.float32)
        start, size = part.stop, _BLOCK_FRAMES


def _without_silence(frames: SpeechFrames) -> SpeechFrames:
    """Drops the silence before the first sound and after the last one, except for a margin."""
    # Every fourth frequency is enough to tell sound from silence.
    energy = np.exp(2 * frames.free[::4]).sum(axis=0)
    voiced = frames.pitch_hz > _VOICED_HZ
    sounding = np.flatnonzero((energy > _SILENT_ENERGY) | voiced)
    if not len(sounding):
        return frames.part(slice(0, 0))
    first, last = max(0, int(sounding[0]) - _MARGIN_FRAMES), int(sounding[-1]) + _MARGIN_FRAMES
    return frames.part(slice(first, last + 1))


class _OverlapAdd:
    """Sums windows, each of which begins a hop after the one before."""

    def __init__(self) -> None:
        self.rest: Floats = np.zeros(_WINDOW - _HOP, np.float32)

    def add(self, windows: Floats) -> Floats:
        """Returns the samples to which no later window adds anything; `rest` keeps the others."""
        hops = _WINDOW // _HOP
        total = np.zeros((len(windows) + hops - 1, _HOP), np.float32)
        total[: hops - 1] = self.rest.reshape(-1, _HOP)
        parts = windows.reshape(-1, hops, _HOP)
        for hop in range(hops):
            total[hop : hop + len(windows)] += parts[:, hop]
        self.rest = total[len(windows) :].reshape(-1)
        return total[: len(windows)].reshape(-1)


def _melody(pitch_hz: Floats, shape: VoiceShape) -> Floats:
    voiced = pitch_hz > _VOICED_HZ
    if not voiced.any():
        return pitch_hz
    middle = np.median(pitch_hz[voiced])
    moved = middle * shape.pitch * (np.maximum(pitch_hz, 1) / middle) ** shape.melody
    return np.where(voiced, moved, pitch_hz).astype(np.float32)


def _filters(frames: SpeechFrames, part: slice, shape: VoiceShape) -> Complexes:
    """The filter that the harmonics of each frame pass through."""
    levels, pitch_hz = frames.harmonic[:, part].T, frames.pitch_hz[part]
    if shape.keeps_the_voice:
        phases = np.pi * np.tanh(frames.harmonic_phase[:, part].T)
        return _complexes(np.minimum(levels, _LOUDEST), phases)
    envelope = _envelope(levels, pitch_hz, shape.formants) + _tilt(shape)
    # Lower harmonics are closer together: without this, more of them would be louder.
    envelope += np.float32(np.log(shape.pitch) / 2)
    return _minimum_phase(np.minimum(envelope, _LOUDEST))


def _envelope(levels: Floats, pitch_hz: Floats, formants: float) -> Floats:
    """The stretched line through the harmonics' levels; between them the network is wrong."""
    spacing = np.maximum(pitch_hz, 60)[:, None] / _BIN_HZ
    harmonic = np.arange(_BINS, dtype=np.float32) / (formants * spacing)
    last = np.floor((_BINS - 1) / spacing)
    below = np.clip(np.floor(harmonic), 1, last)
    above = np.minimum(below + 1, last)
    share = np.clip(harmonic - below, 0, 1)
    ends = [
        np.take_along_axis(levels, np.rint(each * spacing).astype(np.intp), axis=1)
        for each in (below, above)
    ]
    return np.asarray(ends[0] * (1 - share) + ends[1] * share, np.float32)


def _minimum_phase(envelope: Floats) -> Complexes:
    cepstrum = np.fft.irfft(envelope, _WINDOW, axis=1)
    cepstrum[:, 1 : _WINDOW // 2] *= 2
    cepstrum[:, _WINDOW // 2 + 1 :] = 0
    logarithms = np.fft.rfft(cepstrum, axis=1)
    return _complexes(logarithms.real, logarithms.imag)


def _complexes(levels: _Reals, phases: _Reals) -> Complexes:
    """The numbers with these logarithms of amplitudes and these angles.

    numpy's `exp` of complex numbers takes eleven times as long.
    """
    amplitudes = np.exp(levels)
    found = np.empty(levels.shape, np.complex64)
    found.real, found.imag = amplitudes * np.cos(phases), amplitudes * np.sin(phases)
    return found


def _free_spectra(frames: SpeechFrames, part: slice, shape: VoiceShape) -> Complexes:
    levels, phases = frames.free[:, part].T, frames.free_phase[:, part].T
    spectra = _complexes(np.minimum(levels, _LOUDEST), phases)
    if shape.formants != 1:
        # Seen from the middle of its window, each frame is played slower or faster.
        source = np.arange(_BINS) / shape.formants
        below = np.minimum(source.astype(np.intp), _BINS - 2)
        share = np.where(source <= _BINS - 1, source - below, 0).astype(np.float32)
        kept = (source <= _BINS - 1) * _FROM_THE_MIDDLE
        spectra = spectra * _FROM_THE_MIDDLE
        spectra = (spectra[:, below] * (1 - share) + spectra[:, below + 1] * share) * kept
    if shape.breath_db:
        voiced = frames.pitch_hz[part] > _VOICED_HZ
        spectra *= np.where(voiced, 10 ** (shape.breath_db / 20), 1).astype(np.float32)[:, None]
    return spectra


def _tilt(shape: VoiceShape) -> Floats:
    octaves = np.log2(np.maximum(np.arange(_BINS) * _BIN_HZ, 100) / 500)
    return np.asarray(octaves * shape.tilt_db * np.log(10) / 20, np.float32)
