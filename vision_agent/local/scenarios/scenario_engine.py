"""An engine that does what a scenario says, around the real engine or without one."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from vision_agent.local.api.engine_port import Ears, Engine
from vision_agent.local.contract import (
    OUTPUT_RATE_HZ,
    CallTool,
    Heard,
    Manner,
    Say,
    SpeechStarted,
    SpeechStopped,
    Turn,
)
from vision_agent.local.scenarios.scenario import Pause, Scenario
from vision_agent.local.scenarios.script import Script

if TYPE_CHECKING:
    from vision_agent.local.engine.hearing.recognizer import Recognizer

LETTER_MS = 60
"""How long the tone of one character is: as long as English is spoken, about."""

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
    """Hears, answers and speaks as the scenario says, and otherwise as the real engine does.

    Args:
        scenario: What to do.
        engine: The real engine, which stays the caller's to close; None where the scenario's
            ``engine`` is false.

    Raises:
        ValueError: the scenario needs the real engine and there is none.
    """

    def __init__(self, scenario: Scenario, engine: Engine | None) -> None:
        if scenario.engine and engine is None:
            raise ValueError("This scenario needs the engine ('engine: false' does without).")
        self._scenario = scenario
        self._engine = engine if scenario.engine else None
        self._script = Script(scenario)

    def ears(
        self,
        *,
        silence_ms: int,
        start_sensitivity: str,
        end_sensitivity: str,
        prefix_padding_ms: int | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        instruction: str = "",
    ) -> Ears:
        """The hearing of one conversation: real voice activity, scripted words."""
        if self._engine is not None and self._scenario.hears_then == "engine":
            real = self._engine.ears(
                silence_ms=silence_ms,
                start_sensitivity=start_sensitivity,
                end_sensitivity=end_sensitivity,
                prefix_padding_ms=prefix_padding_ms,
                tools=tools,
                instruction=instruction,
            )
            return _ScriptedEars(real, self._script) if self._scenario.hears else real
        return _ScriptedEars(
            _ears_without_words(silence_ms, start_sensitivity, end_sensitivity, prefix_padding_ms),
            self._script,
        )

    async def speak(
        self,
        text: str,
        voice_name: str | None,
        language_code: str | None,
        manner: Manner | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """A sentence in the real voice or as a tone, s16le mono 24 kHz."""
        if self._engine is None or self._scenario.voice == "tone":
            for piece in tone(len(text) * LETTER_MS):
                yield piece
            return
        async with aclosing(
            cast(
                AsyncGenerator[bytes, None],
                self._engine.speak(text, voice_name, language_code, manner),
            )
        ) as pieces:
            async for piece in pieces:
                yield piece

    async def answer(self, turn: Turn) -> AsyncGenerator[Say | CallTool, None]:
        """What the scenario says to this turn, or the real engine."""
        steps = self._script.steps(turn)
        if steps is None and self._engine is not None:
            answer = cast(AsyncGenerator[Say | CallTool, None], self._engine.answer(turn))
            async with aclosing(answer) as parts:
                async for part in parts:
                    yield part
            return
        for step in steps or ():
            if isinstance(step, Pause):
                await _pause(step.seconds)
            else:
                yield step


class _ScriptedEars:
    """Ears that find speech as they do, and are told what it meant."""

    def __init__(self, ears: Ears, script: Script) -> None:
        self._ears = ears
        self._script = script

    def feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechStarted | SpeechStopped]:
        return self._ears.feed(pcm, over_agent=over_agent)

    async def heard(self) -> Heard:
        scripted = self._script.hear()
        # Asked for every utterance, so that each gets its own.
        really = await self._ears.heard()
        if scripted is None:
            return really
        return Heard(scripted.text, scripted.understood, really.manner)

    def begin_activity(self) -> None:
        self._ears.begin_activity()

    def end_activity(self) -> None:
        self._ears.end_activity()

    async def close(self) -> None:
        await self._ears.close()


class _Deaf:
    """A recogniser whose ears notice speech and understand none of it."""

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

    async def heard(self) -> Heard:
        return Heard("", False)


def _ears_without_words(silence_ms: int, start: str, end: str, prefix_ms: int | None) -> Ears:
    # Imported here: a scenario that only types needs no voice activity detector.
    from vision_agent.local.engine.hearing.ears import Ears as RealEars
    from vision_agent.local.engine.hearing.endpointing import Sensitivity

    sensitivity = Sensitivity.of(silence_ms, start, end, prefix_ms)
    return RealEars(cast("Recognizer", _Deaf()), sensitivity)


def tone(duration_ms: int) -> Iterator[bytes]:
    """A plain tone of 440 Hz, s16le mono 24 kHz, in pieces of 100 ms."""
    samples = duration_ms * OUTPUT_RATE_HZ // 1000
    for start in range(0, samples, _PIECE_SAMPLES):
        # 100 ms hold a whole number of periods, so every piece is the beginning of the same one.
        yield _PIECE[: 2 * (samples - start)]


async def _pause(seconds: float) -> None:
    if math.isinf(seconds):
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)
