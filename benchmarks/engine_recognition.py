"""How much of what is said is understood, and what is wrongly taken for a request."""

from __future__ import annotations

from typing import Any

import numpy as np
from fixed_set import VOICES, Sound, Spoken, decoded, fixed_set, mixed, pcm, silence

from vision_agent.local.contract import Heard, SpeechStopped
from vision_agent.local.endpointing import Sensitivity
from vision_agent.local.hearing import Ears
from vision_agent.local.intents import normalise, understand
from vision_agent.local.recognizer import Recognizer

_NOISE = "kitchen"
_REAL_SPEECH = "jfk.flac"


async def measure_recognition(every: int) -> list[dict[str, Any]]:
    """A row for each voice, in quiet and in kitchen noise, and one for real speech."""
    recognizer = Recognizer()
    recognizer.start()
    await recognizer.worker.ready(120)
    try:
        rows = []
        for title, snr_db in (("quiet", None), ("20 dB", 20.0), ("10 dB", 10.0)):
            for voice in VOICES:
                spoken = [one for one in fixed_set()[::every] if one.voice == voice]
                heard = [await _hear(recognizer, _surrounded(one.sound, snr_db)) for one in spoken]
                rows.append(_row(f"{voice}, {title}", spoken, heard))
        phrases = await _hear_all(recognizer, np.concatenate((decoded(_REAL_SPEECH), silence(900))))
        taken = sum(_intent(phrase) != "" for phrase in phrases)
        rows.append(
            dict.fromkeys(rows[0], "")
            | {"": "jfk.flac (real)", "off topic": len(phrases), "accepted": taken}
        )
    finally:
        await recognizer.close()
    return rows


def _surrounded(sound: Sound, snr_db: float | None) -> Sound:
    if snr_db is None:
        return np.concatenate((silence(1_500), sound, silence(1_500)))
    return mixed(sound, _NOISE, snr_db)


async def _hear(recognizer: Recognizer, sound: Sound) -> Heard:
    """The last utterance found in a sound; noises may have come before it."""
    heard = await _hear_all(recognizer, sound)
    return heard[-1] if heard else Heard("", False)


async def _hear_all(recognizer: Recognizer, sound: Sound) -> list[Heard]:
    ears = Ears(recognizer, Sensitivity())
    stopped = 0
    data = pcm(sound)
    for start in range(0, len(data), 640):
        events = ears.feed(data[start : start + 640])
        stopped += sum(isinstance(event, SpeechStopped) for event in events)
    heard = [await ears.heard() for _ in range(stopped)]
    await ears.close()
    return heard


def _row(title: str, spoken: list[Spoken], heard: list[Heard]) -> dict[str, Any]:
    pairs = list(zip(spoken, heard, strict=True))
    asked = [(one, what) for one, what in pairs if one.intent]
    right = sum(_intent(what) == one.intent for one, what in asked)
    wrong = sum(_intent(what) not in ("", one.intent) for one, what in asked)
    off_topic = [what for one, what in pairs if not one.intent]
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


def _intent(heard: Heard) -> str:
    request = understand(heard.text) if heard.understood else None
    return request.intent if request else ""


def word_errors(said: str, heard: str) -> int:
    """Words to change, add or leave out; spelling variants count as the same word."""
    left, right = normalise(said).split(), normalise(heard).split()
    row = list(range(len(right) + 1))
    for i, word in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
