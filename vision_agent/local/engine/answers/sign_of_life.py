"""Sentences for when an answer takes long: a slow machine reads a dense page for half a minute.

A client of the Live API that hears nothing for 10 s may take the model for dead and ask once more,
which doubles the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vision_agent.local.contract import Say, ToolRequest

AFTER_S = 6.0
"""The silence in an answer after which a sign of life is given."""

SENTENCES = ("One moment, please.", *("I'm still looking.",) * 9)
"""Said one after another. After the last one the answer has taken a minute: nothing more is said,
and the client decides how long it waits."""


async def with_signs_of_life(
    parts: AsyncGenerator[Say | ToolRequest, None], after_s: float = AFTER_S
) -> AsyncGenerator[Say | ToolRequest, None]:
    """The parts of an answer, and a sentence whenever the next one takes longer than `after_s`."""
    sentences = iter(SENTENCES)
    async with aclosing(parts):
        while True:
            coming = asyncio.ensure_future(anext(parts, None))
            try:
                while not (await asyncio.wait([coming], timeout=after_s))[0]:
                    if sentence := next(sentences, ""):
                        yield Say(sentence)
            finally:
                # Closed early: the work ends before the generator is closed.
                coming.cancel()
                await asyncio.wait([coming])
            part = coming.result()
            if part is None:
                return
            yield part
