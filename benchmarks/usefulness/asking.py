"""Asks one question in a call of its own: real WebRTC, the agent with its tools, its voice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from vision_agent import Answer, CallClient, CallFailed

from .photographs import Photograph, pixels
from .questions import Question
from .voices import spoken

ANSWER_S = 45.0
UNASKED_S = 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """An asked question's result.

    Attributes:
        answer: The agent's words; for `then_show` those that came unasked.
        heard: The question as the agent heard it, if it was spoken.
        reply_ms: From the end of the question to the first sound.
        at: When it was asked, local time.
    """

    answer: str
    heard: str
    reply_ms: int | None
    at: datetime


async def ask(
    url: str, question: Question, photographs: dict[str, Photograph], voice: str
) -> Asked:
    """Ask a question as its person does, all of its steps in one call."""
    frames = {name: await asyncio.to_thread(pixels, photographs[name]) for name in question.shows}
    first = question.shows[0]
    async with CallClient(url, show=frames[first], timeout_s=ANSWER_S) as call:
        shown = first
        for step in question.before:
            if step.show != shown:
                await call.show(frames[step.show])
            shown = step.show
            if step.ask:
                await _put(call, question.by, step.ask, voice)
        if question.show != shown:
            await call.show(frames[question.show])
        asked_at = datetime.now()
        answer = await _put(call, question.by, question.ask, voice)
        heard = next((text for who, text in reversed(call.transcript) if who == "user"), "")
        if question.then_show:
            await call.show(frames[question.then_show])
            answer = await _unasked(call)
    return Asked(answer.text if answer else "", heard, answer and answer.reply_ms, asked_at)


async def _put(call: CallClient, by: str, text: str, voice: str) -> Answer | None:
    """Say or type the words of a step; None if it is answered by silence."""
    try:
        if by == "typed":
            answer = await call.type(text)
        else:
            answer = await call.say(await asyncio.to_thread(spoken, text, voice))
    except CallFailed as failure:
        if "did not answer" in str(failure):
            return None
        raise
    # On a busy machine the words may come after the sound.
    return answer if answer.text else await _unasked(call)


async def _unasked(call: CallClient) -> Answer | None:
    try:
        return await asyncio.wait_for(call.listen(), UNASKED_S)
    except (TimeoutError, CallFailed):
        return None
