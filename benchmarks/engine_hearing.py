"""How soon the begin and the end of speech are detected, and how often noise is taken for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from fixed_set import NOISES, Sound, fixed_set, mixed, noise, pcm, silence

from vision_agent.local.contract import SpeechStarted, SpeechStopped
from vision_agent.local.engine.hearing.endpointing import CHUNK_MS, Sensitivity
from vision_agent.local.engine.hearing.recognizer import Recognizer
from vision_agent.local.engine.hearing.vad_stream import SpeechDetector

_LEAD_MS = 2_000  # the noise begins before the speech
_OF_NOISY = 3  # noisy rows have a third of the sentences
_MARGIN_MS = 50  # the fixed set's, before the first sound and after the last
_STEP_BYTES = 320  # 10 ms
_ALONE_MS = 30_000


async def measure_hearing(every: int) -> list[dict[str, Any]]:
    """A row for quiet and for each noise, at 20 and at 10 dB."""
    rows = [_row("quiet", None, 0.0, every)]
    for kind in NOISES:
        for snr_db in (20.0, 10.0):
            rows.append(_row(f"{kind}, {snr_db:.0f} dB", kind, snr_db, _OF_NOISY * every))
    return rows


def _row(title: str, kind: str | None, snr_db: float, every: int) -> dict[str, Any]:
    starts, ends = [], []
    missed = split = 0
    spoken = fixed_set()[::every]
    for number, one in enumerate(spoken):
        lead_ms = _LEAD_MS + 5 * number % CHUNK_MS  # meets every phase of the detector's chunks
        if kind is None:
            sound = np.concatenate((silence(lead_ms), one.sound, silence(lead_ms)))
        else:
            sound = mixed(one.sound, kind, snr_db, around_ms=lead_ms)
        onset_ms = lead_ms + _MARGIN_MS
        end_ms = lead_ms + len(one.sound) // 16 - _MARGIN_MS
        begun, over = events(sound)
        timely = [at_ms for at_ms in begun if at_ms > onset_ms - 100]
        missed += not timely
        split += len(timely) > 1
        starts += [at_ms - onset_ms for at_ms in timely[:1]]
        ends += [at_ms - end_ms for at_ms in over[-1:]]
    alone = 0
    if kind is not None:
        for seed in (1, 2, 3):
            level = 10 ** ((10 - snr_db) / 20)
            alone += len(events(noise(kind, _ALONE_MS, seed) * level)[0])
    return {
        "": title,
        "sentences": len(spoken),
        "start p50": float(np.percentile(starts or [0], 50)),
        "start p95": float(np.percentile(starts or [0], 95)),
        "end p50": float(np.percentile(ends or [0], 50)),
        "end p95": float(np.percentile(ends or [0], 95)),
        "missed": missed,
        "in pieces": split,
        "turns in 90 s\nof noise alone": alone if kind else "",
    }


def events(sound: Sound) -> tuple[list[int], list[int]]:
    """When the begin and the end were reported, in ms of the sound fed until then."""
    ears = SpeechDetector(Recognizer(), Sensitivity())
    begun, over = [], []
    data = pcm(sound)
    for start in range(0, len(data), _STEP_BYTES):
        for event in ears.feed(data[start : start + _STEP_BYTES]):
            fed_ms = (start + _STEP_BYTES) // 32
            if isinstance(event, SpeechStarted):
                begun.append(fed_ms)
            elif isinstance(event, SpeechStopped):
                over.append(fed_ms)
    return begun, over
