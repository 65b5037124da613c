"""The 30 voices, told apart by their samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from vision_agent.local.engine.speech.synthesis import Speech
from vision_agent.local.engine.speech.voices import VOICES

RATE_HZ = 24_000
SENTENCE = "I can see a dark blue cup on the left, and a person in the middle."
FRAME = 1024
BANDS_HZ = (100, 300, 500, 800, 1200, 1700, 2400, 3300, 4500, 6000, 8000)

# As Google documents the voices of its speech services.
WOMEN = {
    *("Achernar", "Aoede", "Autonoe", "Callirrhoe", "Despina", "Erinome", "Gacrux", "Kore"),
    *("Laomedeia", "Leda", "Pulcherrima", "Sulafat", "Vindemiatrix", "Zephyr"),
}

Sound = NDArray[np.float64]

# Listeners just notice about a third of a semitone, 5 % of pace and 1 dB in a band in running
# speech. Two voices must differ by 1.6 to 3 times that, in one of the three or in all together.
SEMITONES, PACE, TIMBRE_DB = 1.0, 0.08, 2.5


def frames(sound: Sound) -> Sound:
    whole = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.sqrt(np.mean(whole**2, axis=1))
    return whole[loud > 0.3 * loud.max()]


def pitch_hz(sound: Sound) -> float:
    """The median over the voiced frames, by autocorrelation between 60 and 400 Hz."""
    spectrum = np.abs(np.fft.rfft(frames(sound) * np.hanning(FRAME), 2 * FRAME)) ** 2
    likeness = np.fft.irfft(spectrum)[:, :FRAME]
    shortest, longest = RATE_HZ // 400, RATE_HZ // 60
    searched = likeness[:, shortest:longest]
    voiced = searched.max(axis=1) > 0.4 * likeness[:, 0]
    return float(RATE_HZ / np.median(shortest + searched[voiced].argmax(axis=1)))


def timbre_db(sound: Sound) -> Sound:
    """The level of each band, relative to all of them."""
    power = np.mean(np.abs(np.fft.rfft(frames(sound) * np.hanning(FRAME))) ** 2, axis=0)
    hz = np.fft.rfftfreq(FRAME, 1 / RATE_HZ)
    edges = itertools.pairwise(BANDS_HZ)
    levels = np.array([10 * np.log10(power[(hz >= a) & (hz < b)].mean()) for a, b in edges])
    return levels - levels.mean()


@pytest.mark.asyncio
async def test_any_two_voices_differ_audibly_and_men_and_women_are_told_apart() -> None:
    speech = await Speech.start()
    sounds = {}
    for name in VOICES:
        pieces = [piece async for piece in speech.say(SENTENCE, name)]
        sounds[name] = np.frombuffer(b"".join(pieces), "<i2") / 32768
    await speech.close()
    pitch = {name: pitch_hz(sound) for name, sound in sounds.items()}
    timbre = {name: timbre_db(sound) for name, sound in sounds.items()}

    for name, sound in sounds.items():
        assert -9 < 20 * np.log10(np.abs(sound).max()) < -2.9, name
        assert -23 < 10 * np.log10(np.mean(sound**2)) < -19, name

    def difference(one: str, other: str) -> float:
        semitones = 12 * abs(np.log2(pitch[one] / pitch[other]))
        pace = abs(np.log(len(sounds[one]) / len(sounds[other])))
        level_db = np.sqrt(np.mean((timbre[one] - timbre[other]) ** 2))
        return float(np.hypot(np.hypot(semitones / SEMITONES, pace / PACE), level_db / TIMBRE_DB))

    nearest = min((difference(*pair), pair) for pair in itertools.combinations(VOICES, 2))
    assert nearest[0] > 1, nearest
    assert {name for name in VOICES if pitch[name] > 150} == WOMEN
    assert all(95 < pitch[name] < 125 for name in ("Charon", "Orus"))
    assert all(pitch[name] > 160 for name in ("Kore", "Aoede", "Leda", "Zephyr"))
