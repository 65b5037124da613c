"""One voice made into others, on frames whose sound is known."""

import numpy as np
import pytest

from vision_agent.local.engine.speech.speech_network import SpeechFrames
from vision_agent.local.engine.speech.vocoder import RATE_HZ, sound
from vision_agent.local.engine.speech.voices import VoiceShape

SILENT = -30.0
COUNT = 160


def vowel(pitch_hz: float, formant_hz: float) -> SpeechFrames:
    """Two seconds with one formant."""
    frequencies = np.arange(601) * 20.0
    level = -(((frequencies - formant_hz) / 200) ** 2).clip(0, 12)
    harmonic = np.repeat(level[:, None], COUNT, axis=1).astype(np.float32)
    nothing = np.full((601, COUNT), SILENT, np.float32)
    pitch = np.full(COUNT, pitch_hz, np.float32)
    return SpeechFrames(harmonic, np.zeros_like(nothing), nothing, np.zeros_like(nothing), pitch)


def spectrum(frames: SpeechFrames, shape: VoiceShape) -> tuple[np.ndarray, np.ndarray]:
    level = np.concatenate(list(sound(frames, shape)))
    assert len(level) == COUNT * 300
    middle = level[RATE_HZ // 2 : -RATE_HZ // 2]
    return np.fft.rfftfreq(len(middle), 1 / RATE_HZ), np.abs(
        np.fft.rfft(middle * np.hanning(len(middle)))
    )


@pytest.mark.parametrize("pitch", [0.5, 0.8, 1.25])
@pytest.mark.parametrize("formants", [0.8, 1.0, 1.1])
def test_pitch_and_formants_move_independently(pitch: float, formants: float) -> None:
    frequencies, level = spectrum(vowel(200, 1200), VoiceShape(pitch=pitch, formants=formants))
    step = 200 * pitch
    harmonics = np.arange(1, int(4000 / step)) * step
    at = np.array([level[np.abs(frequencies - hz) < 8].max() for hz in harmonics])
    between = np.array([level[np.abs(frequencies - hz - step / 2) < 8].max() for hz in harmonics])
    loud = at > at.max() / 30
    assert (at[loud] > 30 * between[loud]).all()
    centre = (harmonics[loud] * at[loud]).sum() / at[loud].sum()
    assert centre == pytest.approx(1200 * formants, rel=0.04)


def test_an_unshaped_voice_is_the_networks_own() -> None:
    from hibari import dsp

    frames = vowel(190, 900)
    noise = np.random.default_rng(1)
    for field in (frames.harmonic_phase, frames.free, frames.free_phase):
        field[:] = noise.normal(size=field.shape)
    own = dsp.synth(
        frames.harmonic,
        frames.harmonic_phase,
        np.full_like(frames.free, SILENT),
        frames.free,
        frames.free_phase,
        frames.pitch_hz,
        noise,
    )
    ours = np.concatenate(list(sound(frames, VoiceShape())))
    np.testing.assert_allclose(ours, own, atol=1e-3 * np.abs(own).max())


def test_silence_around_the_words_is_not_synthesised() -> None:
    frames = vowel(190, 900)
    frames.pitch_hz[:40] = frames.pitch_hz[-60:] = 0
    assert len(np.concatenate(list(sound(frames, VoiceShape())))) == (COUNT - 100 + 4) * 300
    frames.pitch_hz[:] = 0
    assert list(sound(frames, VoiceShape())) == []
