"""The turns of a case as the steps of a script."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.evaluation.caller_voice import CallerVoice
from vision_agent.evaluation.expected import Expectation
from vision_agent.evaluation.suite import CaseTurn
from vision_agent.replay.script import Action, Show, Speak, Step, Switch, TypeText, Wait


async def steps_of(
    turns: Sequence[CaseTurn],
    expected: Sequence[Expectation],
    voice: CallerVoice,
    language: str | None = None,
) -> list[Step]:
    """Return the steps of a case's turns.

    After a turn that expects silence, the caller waits for the length of that silence instead of an
    answer.

    Args:
        turns: The turns.
        expected: All expectations.
        voice: Speaks the sentences.
        language: The sentences' language, BCP-47.

    Raises:
        BadRecording: A sound file can't be read.
        SpeechError: There is no synthesizer.
    """
    speaking = sum(turn.speaks for turn in turns)
    silences: dict[int, float] = {}
    for one in expected:
        if one.silence is not None:
            after = one.silence.after or speaking
            silences[after] = max(one.silence.for_s, silences.get(after, 0.0))
    steps: list[Step] = []
    number = 0
    for turn in turns:
        begins_ms = None if turn.cut_in_s is None else round(turn.cut_in_s * 1000)
        steps.append(Step(await _action(turn, voice, language), into_answer_ms=begins_ms))
        if turn.speaks:
            number += 1
            if number in silences:
                steps.append(Step(Wait(silences[number]), at_ms=0))
    return steps


async def _action(turn: CaseTurn, voice: CallerVoice, language: str | None) -> Action:
    if isinstance(turn.say, Path):
        sound = await asyncio.to_thread(read_sound, turn.say)
        return Speak(sound.astype("<i2").tobytes(), SOUND_RATE_HZ)
    if turn.say is not None:
        return Speak(*await voice.speak(turn.say, language))
    if turn.type is not None:
        return TypeText(turn.type)
    if turn.switch is not None:
        return Switch(turn.switch, bool(turn.on))
    if turn.show is not None:
        return Show(turn.show, turn.as_)
    return Wait(turn.silence_s or 0.0)
