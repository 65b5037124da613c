"""An engine that follows a scenario, around the real engine or without one."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from vision_agent.local.api.engine_port import EnginePort, Hearing
from vision_agent.local.contract import (
    OUTPUT_RATE_HZ,
    AnswerPart,
    HearingOptions,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Turn,
)
from vision_agent.local.scenarios.scenario import Pause, Scenario
from vision_agent.local.scenarios.script import Script

if TYPE_CHECKING:
    from vision_agent.local.engine.hearing.recognizer import Recognizer

LETTER_MS = 60
"""Duration of the tone for one character, about the pace of spoken English."""

_TONE_HZ = 440
_LEVEL = 6000
_PIECE_SAMPLES = OUTPUT_RATE_HZ // 10
_PIECE = struct.pack(
    f"<{_PIECE_SAMPLES}h",
    *(
        round(_LEVEL * math.sin(math.tau * _TONE_HZ * sample / OUTPUT_RATE_HZ))
        for sample in range(_PIECE_SAMPLES)
    ),
)


class ScenarioEngine:
    """Transcribes, answers and speaks as scripted, and otherwise as the real engine does.

    Args:
        scenario: The scenario.
        engine: The real engine, which its owner closes; None if the scenario's ``engine`` is false.

    Raises:
        ValueError: The scenario needs the real engine and there is none.
    """

    def __init__(self, scenario: Scenario, engine: EnginePort | None) -> None:
        if scenario.engine and engine is None:
            raise ValueError("This scenario needs the engine ('engine: false' does without).")
        self._scenario = scenario
        self._engine = engine if scenario.engine else None
        self._script = Script(scenario)

    def hearing(
        self,
        options: HearingOptions,
        tools: Sequence[Mapping[str, Any]] = (),
        instruction: str = "",
    ) -> Hearing:
        """The hearing of one conversation: real voice activity, scripted words."""
        if self._engine is not None and self._scenario.hears_then == "engine":
            real = self._engine.hearing(options, tools, instruction)
            return _ScriptedHearing(real, self._script) if self._scenario.hears else real
        return _ScriptedHearing(_hearing_without_words(options), self._script)

    async def speak(
        self,
        text: str,
        voice_name: str | None,
        language_code: str | None,
    ) -> AsyncGenerator[bytes, None]:
        """Speaks a sentence in the real voice or as a tone, s16le mono 24 kHz."""
        if self._engine is None or self._scenario.voice == "tone":
            for piece in tone(len(text) * LETTER_MS):
                yield piece
            return
        async with aclosing(
            cast(
                AsyncGenerator[bytes, None],
                self._engine.speak(text, voice_name, language_code),
            )
        ) as pieces:
            async for piece in pieces:
                yield piece

    async def answer(self, turn: Turn) -> AsyncGenerator[AnswerPart, None]:
        """The answer of the scenario to this turn, or that of the real engine."""
        steps = self._script.steps(turn)
        if steps is None and self._engine is not None:
            answer = cast(AsyncGenerator[AnswerPart, None], self._engine.answer(turn))
            async with aclosing(answer) as parts:
                async for part in parts:
                    yield part
            return
        for step in steps or ():
            if isinstance(step, Pause):
                await _pause(step.seconds)
            else:
                yield step


class _ScriptedHearing:
    """Finds speech by means of ``real``, and takes the transcripts from the script."""

    def __init__(self, real: Hearing, script: Script) -> None:
        self._real = real
        self._script = script

    def feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechStarted | SpeechStopped]:
        return self._real.feed(pcm, over_agent=over_agent)

    async def transcript(self) -> Transcript:
        scripted = self._script.hear()
        # Called for every utterance, so that the real transcripts stay in step with the utterances.
        really = await self._real.transcript()
        if scripted is None:
            return really
        return replace(scripted, snr_db=really.snr_db)

    def begin_activity(self) -> None:
        self._real.begin_activity()

    def end_activity(self) -> None:
        self._real.end_activity()

    async def close(self) -> None:
        await self._real.close()


class _Deaf:
    """A recogniser that transcribes nothing."""

    off = ""

    def begin(self, agents: Sequence[str] = ()) -> _Deaf:
        return self

    def feed(self, pcm: bytes) -> None:
        pass

    def pause(self) -> None:
        pass

    def end(self) -> None:
        pass

    def cancel(self) -> None:
        pass

    async def transcript(self) -> Transcript:
        return Transcript("", False)


def _hearing_without_words(options: HearingOptions) -> Hearing:
    # Imported here: a scenario with typed turns only needs no voice activity detector.
    from vision_agent.local.engine.hearing.endpointing import Sensitivity
    from vision_agent.local.engine.hearing.vad_stream import SpeechDetector

    return SpeechDetector(cast("Recognizer", _Deaf()), Sensitivity.of(options))


def tone(duration_ms: int) -> Iterator[bytes]:
    """A plain tone of 440 Hz, s16le mono 24 kHz, in pieces of 100 ms."""
    samples = duration_ms * OUTPUT_RATE_HZ // 1000
    for start in range(0, samples, _PIECE_SAMPLES):
        # 100 ms hold a whole number of periods, so every piece is a prefix of the same samples.
        yield _PIECE[: 2 * (samples - start)]


async def _pause(seconds: float) -> None:
    if math.isinf(seconds):
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)
