"""How soon the first sound of an answer is there, and how much faster than real time the rest."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np

from vision_agent.local.contract import OUTPUT_RATE_HZ, Say, Transcript, Turn
from vision_agent.local.engine.engine import LocalEngine

_TURN = Turn(Transcript("what can you do"))
_ANSWERS = 20


async def measure_speaking(every: int) -> list[dict[str, Any]]:
    """A row for one caller alone and one for four at once."""
    engine = await LocalEngine.start()
    try:
        await _answer(engine, "Kore")  # the workers are up
        rows = []
        for title, callers in (("one caller", 1), ("four at once", 4)):
            answers = [
                one
                for _ in range(max(1, _ANSWERS // every))
                for one in await asyncio.gather(*(_answer(engine, "Kore") for _ in range(callers)))
            ]
            first_ms = [first for first, _ in answers]
            rows.append(
                {
                    "": title,
                    "answers": len(answers),
                    "turn decided → first sound": (
                        f"{np.median(first_ms):.0f} / {np.percentile(first_ms, 95):.0f}"
                    ),
                    "times real time": f"{np.median([speed for _, speed in answers]):.0f}",
                }
            )
    finally:
        await engine.close()
    return rows


async def _answer(engine: LocalEngine, voice: str) -> tuple[float, float]:
    """Milliseconds to the first sound, and seconds of sound made in a second."""
    began_s = time.perf_counter()
    first_s = 0.0
    made_bytes = 0
    async for part in engine.answer(_TURN):
        if isinstance(part, Say):
            async for piece in engine.speak(part.text, voice):
                first_s = first_s or time.perf_counter() - began_s
                made_bytes += len(piece)
    return 1000 * first_s, made_bytes / 2 / OUTPUT_RATE_HZ / (time.perf_counter() - began_s)
