"""How many sentences are understood, and how many are wrongly taken for a request."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from fixed_set import VOICES, Sound, Spoken, decoded, fixed_set, mixed, pcm, silence

from vision_agent.local.contract import SpeechStopped, Transcript
from vision_agent.local.engine.hearing.endpointing import Sensitivity
from vision_agent.local.engine.hearing.recognizer import Recognizer
from vision_agent.local.engine.hearing.vad_stream import SpeechDetector
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.understanding import Understanding

_NOISE = "kitchen"
_REAL_SPEECH = "jfk.flac"
_OF_NOISY = 2  # half of the sentences, because noise takes long to decode
_AT_ONCE = 2


async def measure_recognition(every: int) -> list[dict[str, Any]]:
    """A row for each voice, in quiet and in kitchen noise, and one for real speech."""
    understanding = Understanding()
    understanding.begin()
    recognizers = [Recognizer(understanding=understanding) for _ in range(_AT_ONCE)]
    for recognizer in recognizers:
        recognizer.start()
        await recognizer.worker.ready(120)
    try:
        rows = []
        for title, snr_db in (("quiet", None), ("20 dB", 20.0), ("10 dB", 10.0)):
            step = every if snr_db is None else _OF_NOISY * every
            for voice in VOICES:
                spoken = [one for one in fixed_set() if one.voice == voice][::step]
                heard = await _hear_each(recognizers, spoken, snr_db)
                rows.append(_row(f"{voice}, {title}", spoken, heard))
        real = np.concatenate((decoded(_REAL_SPEECH), silence(900)))
        phrases = await _hear_all(recognizers[0], real)
        taken = sum(_intent(phrase) != "" for phrase in phrases)
        rows.append(
            dict.fromkeys(rows[0], "")
            | {"": "jfk.flac (real)", "off topic": len(phrases), "accepted": taken}
        )
    finally:
        for recognizer in recognizers:
            await recognizer.close()
        understanding.close()
    return rows


async def _hear_each(
    recognizers: list[Recognizer], spoken: list[Spoken], snr_db: float | None
) -> list[Transcript]:
    """The transcript of each sentence; every recogniser takes its share of them."""

    async def share(number: int) -> list[Transcript]:
        mine = spoken[number :: len(recognizers)]
        return [await _hear(recognizers[number], _surrounded(one.sound, snr_db)) for one in mine]

    shares = await asyncio.gather(*(share(number) for number in range(len(recognizers))))
    return [shares[n % len(shares)][n // len(shares)] for n in range(len(spoken))]


def _surrounded(sound: Sound, snr_db: float | None) -> Sound:
    if snr_db is None:
        return np.concatenate((silence(1_500), sound, silence(1_500)))
    return mixed(sound, _NOISE, snr_db)


async def _hear(recognizer: Recognizer, sound: Sound) -> Transcript:
    """The transcript of the last utterance in a sound; noises may be taken for earlier ones."""
    heard = await _hear_all(recognizer, sound)
    return heard[-1] if heard else Transcript("", False)


async def _hear_all(recognizer: Recognizer, sound: Sound) -> list[Transcript]:
    ears = SpeechDetector(recognizer, Sensitivity())
    stopped = 0
    data = pcm(sound)
    for start in range(0, len(data), 640):
        events = ears.feed(data[start : start + 640])
        stopped += sum(isinstance(event, SpeechStopped) for event in events)
    heard = [await ears.transcript() for _ in range(stopped)]
    await ears.close()
    return heard


def _row(title: str, spoken: list[Spoken], heard: list[Transcript]) -> dict[str, Any]:
    pairs = list(zip(spoken, heard, strict=True))
    asked = [(one, what) for one, what in pairs if one.intents]
    right = sum(_intent(what) in one.intents for one, what in asked)
    wrong = sum(_intent(what) not in ("", *one.intents) for one, what in asked)
    off_topic = [what for one, what in pairs if not one.intents]
    errors = sum(word_errors(one.text, what.text) for one, what in pairs)
    words = sum(len(normalise(one.text).split()) for one in spoken)
    return {
        "": title,
        "requests": len(asked),
        "right %": 100 * right / max(1, len(asked)),
        "wrong %": 100 * wrong / max(1, len(asked)),
        "asked again %": 100 * (len(asked) - right - wrong) / max(1, len(asked)),
        "word errors %": 100 * errors / max(1, words),
        "off topic": len(off_topic),
        "accepted": sum(_intent(what) != "" for what in off_topic),
    }


def _intent(heard: Transcript) -> str:
    return heard.request.intent if heard.request else ""


def word_errors(said: str, heard: str) -> int:
    """The word edit distance; spelling variants count as the same word."""
    left, right = normalise(said).split(), normalise(heard).split()
    row = list(range(len(right) + 1))
    for i, word in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
