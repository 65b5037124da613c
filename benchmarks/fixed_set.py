"""The sentences that hearing is measured with, and reproducible noises.

Nothing of the engine was tuned with these voices or sentences; keep it so.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

import av
import numpy as np
import numpy.typing as npt
from rows import RECORDINGS

RATE_HZ = 16_000
VOICES = ("joe", "ked")
FOLDER = RECORDINGS / "fixed-set"

Sound = npt.NDArray[np.float64]
"""Mono at 16 kHz, full scale 1.0."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence in one voice.

    Attributes:
        voice: Who speaks.
        intents: The names of intents that are right, which are answered alike; empty where it is
            no request.
        text: The words.
        sound: The sentence, with 50 ms before the first sound and after the last.
    """

    voice: str
    intents: tuple[str, ...]
    text: str
    sound: Sound


@cache
def fixed_set() -> tuple[Spoken, ...]:
    """Every sentence in every voice."""
    with (FOLDER / "sentences.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    spoken = []
    for voice in VOICES:
        sound = decoded(f"fixed-set/{voice}.opus")
        for row in rows:
            start, end = (
                int(row[f"{voice}_{which}_ms"]) * RATE_HZ // 1000 for which in ("start", "end")
            )
            intents = tuple(filter(None, row["intent"].strip("-").split("|")))
            spoken.append(Spoken(voice, intents, row["text"], sound[start:end]))
    return tuple(spoken)


@cache
def decoded(name: str) -> Sound:
    """A recording of the project."""
    resampler = av.AudioResampler("s16", "mono", RATE_HZ)
    with av.open(str(RECORDINGS / name)) as recording:
        frames = [out for frame in recording.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]) / 32768


def silence(ms: int) -> Sound:
    """Digital silence."""
    return np.zeros(RATE_HZ * ms // 1000)


def pcm(sound: Sound) -> bytes:
    """A sound as s16le."""
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype("<i2").tobytes()


def rms(sound: Sound) -> float:
    """The level, as a fraction of full scale."""
    return float(np.sqrt(np.mean(sound**2)))


def noise(kind: str, ms: int, seed: int = 1) -> Sound:
    """A noise at -26 dBFS: "white", "fan", "kitchen" or "babble"."""
    random = np.random.default_rng(seed)
    length = RATE_HZ * ms // 1000
    made = {"white": _white, "fan": _fan, "kitchen": _kitchen, "babble": _babble}[kind](
        random, length
    )
    return made * (10 ** (-26 / 20) / rms(made))


NOISES = ("white", "fan", "kitchen", "babble")


def mixed(speech: Sound, kind: str, snr_db: float, *, around_ms: int = 1_500) -> Sound:
    """Speech in a noise that begins before it and ends after it.

    The ratio is that of the levels over the length of the speech.
    """
    around = silence(around_ms)
    whole = np.concatenate((around, speech, around))
    hiss = noise(kind, len(whole) * 1000 // RATE_HZ + 1)[: len(whole)]
    return whole + hiss * (rms(speech) / rms(hiss) * 10 ** (-snr_db / 20))


def _white(random: np.random.Generator, length: int) -> Sound:
    return random.normal(size=length)


def _fan(random: np.random.Generator, length: int) -> Sound:
    """Moving air, which falls by 6 dB an octave above 150 Hz, and the hum of the blades."""
    time_s = np.arange(length) / RATE_HZ
    air = _shaped(random.normal(size=length), lambda hz: 1 / np.maximum(1, hz / 150))
    hum = sum(np.sin(2 * np.pi * hz * time_s) / n for n, hz in enumerate((95, 190, 285), 1))
    return air / rms(air) + 0.4 * hum


def _kitchen(random: np.random.Generator, length: int) -> Sound:
    """Running water, a humming fridge, and dishes: two a second, each with its own ring."""
    time_s = np.arange(length) / RATE_HZ
    water = _shaped(random.normal(size=length), lambda hz: np.exp(-(((hz - 2500) / 2000) ** 2)))
    hum = np.sin(2 * np.pi * 100 * time_s) + 0.5 * np.sin(2 * np.pi * 200 * time_s)
    made = 0.6 * water / rms(water) + 0.2 * hum
    for _ in range(2 * length // RATE_HZ):
        start = int(random.integers(0, length))
        ring_s = np.arange(min(length - start, RATE_HZ // 2)) / RATE_HZ
        for hz in random.uniform(600, 6000, 4):
            decay = np.exp(-ring_s / random.uniform(0.01, 0.08))
            made[start : start + len(ring_s)] += (
                random.uniform(0.5, 3) * decay * np.sin(2 * np.pi * hz * ring_s)
            )
    return made


def _babble(random: np.random.Generator, length: int) -> Sound:
    """Eight talkers at once, none louder than the others."""
    made = np.zeros(length)
    talk = {voice: np.concatenate(_talk(voice)) for voice in VOICES}
    for number in range(8):
        one = talk[VOICES[number % 2]]
        start = int(random.integers(0, len(one)))
        made += np.resize(np.roll(one, -start), length)
    return made


def _talk(voice: str) -> list[Sound]:
    return [s.sound for s in fixed_set() if s.voice == voice and not s.intents]


def _shaped(sound: Sound, gain: object) -> Sound:
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return np.fft.irfft(spectrum * gain(hz), len(sound))  # type: ignore[operator]
