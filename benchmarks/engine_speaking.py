"""How soon the first sound is ready, and how much faster than real time the rest is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from vision_agent.local.contract import OUTPUT_RATE_HZ, Say, Transcript, Turn
from vision_agent.local.engine.engine import LocalEngine

_TURN = Turn(Transcript("what can you do"))
_ANSWERS = 20
_SENTENCES = {
    "short": "I don't know this one.",
    "usual": "I can see a dark blue cup on the left, and a person in the middle.",
    "long": (
        "There are two bottles and a laptop on the table, the laptop is on the left, one of the "
        "bottles is green and stands in front of the other, and somebody is moving behind them."
    ),
}


async def measure_speaking(every: int) -> list[dict[str, Any]]:
    """A row for each kind of sentence, and for the answers of one caller and of four at once."""
    engine = await LocalEngine.start()
    times = max(2, _ANSWERS // every)
    try:
        rows = []
        for voice in (None, "Charon"):
            await _timed(engine.speak("Yes.", voice))  # now the worker is ready and knows the level
            for title, text in _SENTENCES.items():
                found = [await _timed(engine.speak(text, voice)) for _ in range(times)]
                rows.append(_row(f"{voice or 'default voice'}, {title} sentence", found))
        await _timed(engine.speak("Ja.", None, "de"))
        german = "Ich sehe links eine dunkelblaue Tasse, und in der Mitte eine Person."
        found = [await _timed(engine.speak(german, None, "de")) for _ in range(times)]
        rows.append(_row("espeak-ng, usual sentence", found))
        await _timed(_answer(engine))
        for title, callers in (("answer, one caller", 1), ("answer, four at once", 4)):
            found = [
                one
                for _ in range(times)
                for one in await asyncio.gather(*(_timed(_answer(engine)) for _ in range(callers)))
            ]
            rows.append(_row(title, found))
    finally:
        await engine.close()
    return rows


def _row(title: str, found: list[tuple[float, float]]) -> dict[str, Any]:
    first_ms = [first for first, _ in found]
    return {
        "": title,
        "times": len(found),
        "known → first sound, ms": (
            f"{np.median(first_ms):.0f} / {np.percentile(first_ms, 95):.0f}"
        ),
        "times real time": f"{np.median([speed for _, speed in found]):.0f}",
    }


async def _answer(engine: LocalEngine) -> AsyncIterator[bytes]:
    async for part in engine.answer(_TURN):
        if isinstance(part, Say):
            async for piece in engine.speak(part.text, "Kore"):
                yield piece


async def _timed(pieces: AsyncIterator[bytes]) -> tuple[float, float]:
    """The milliseconds to the first sound, and the seconds of sound that are made in a second."""
    began_s = time.perf_counter()
    first_s = 0.0
    made_bytes = 0
    async for piece in pieces:
        first_s = first_s or time.perf_counter() - began_s
        made_bytes += len(piece)
    return 1000 * first_s, made_bytes / 2 / OUTPUT_RATE_HZ / (time.perf_counter() - began_s)
