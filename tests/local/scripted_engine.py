"""A scripted engine in place of the real one.

It keeps the engine's contract and decides by simple rules that a test can foresee: samples other
than 0 are speech, the transcript is the next one of a script, and the test's function returns the
answer. Its voice is a tone of 60 ms for each letter, made as fast as it is read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from vision_agent.local.contract import (
    HearingOptions,
    Say,
    SpeechStarted,
    SpeechStopped,
    Thought,
    ToolRequest,
    Transcript,
    Turn,
)

Parts = Iterable[Say | Thought | ToolRequest | Callable[[], Awaitable[object]]]

LETTER_MS = 60


class ScriptedHearing:
    """Takes any sample but 0 for speech, which ends after the configured silence."""

    def __init__(self, engine: ScriptedEngine, silence_ms: int) -> None:
        self._engine = engine
        self._silence_ms = silence_ms
        self._samples = 0
        self._quiet_since_ms = 0
        self._speaking = False

    def feed(self, pcm: bytes, *, over_agent: bool = False) -> list[SpeechStarted | SpeechStopped]:
        self._engine.over_agent.append(over_agent)
        assert len(pcm) % 2 == 0
        self._samples += len(pcm) // 2
        now_ms = self._samples // 16
        self._engine.fed_bytes += len(pcm)
        if any(pcm):
            self._quiet_since_ms = now_ms
            if not self._speaking:
                self._speaking = True
                return [SpeechStarted(now_ms - len(pcm) // 32)]
        elif self._speaking and now_ms - self._quiet_since_ms >= self._silence_ms:
            self._speaking = False
            return [SpeechStopped(self._quiet_since_ms)]
        return []

    async def transcript(self) -> Transcript:
        await self._engine.may_hear.wait()
        return self._engine.hears.popleft()

    def begin_activity(self) -> None:
        self._engine.activities.append("begin")

    def end_activity(self) -> None:
        self._engine.activities.append("end")

    def reset(self) -> None:
        self._speaking = False

    async def close(self) -> None:
        self._engine.open_ears -= 1


class ScriptedEngine:
    """Implements the engine's contract; a test writes the script.

    Attributes:
        hears: The transcripts of the next utterances.
        answers: Makes the parts of an answer to a turn; functions among them are awaited in turn.
        turns: The turns that it was asked to answer.
        spoken: The sentences that it was asked to speak, with voice and language.
        may_hear: While it is cleared, transcripts wait.
    """

    def __init__(self) -> None:
        self.hears: deque[Transcript] = deque()
        self.answers: Callable[[Turn], Parts] = lambda turn: [Say(f"You said {turn.text}.")]
        self.turns: list[Turn] = []
        self.spoken: list[tuple[str, str | None, str | None]] = []
        self.activities: list[str] = []
        self.ears_asked: list[HearingOptions] = []
        self.may_hear = asyncio.Event()
        self.may_hear.set()
        self.open_ears = 0
        self.open_answers = 0
        self.fed_bytes = 0
        self.over_agent: list[bool] = []

    def hearing(
        self, options: HearingOptions, tools: object = (), instruction: str = ""
    ) -> ScriptedHearing:
        self.open_ears += 1
        self.ears_asked.append(options)
        return ScriptedHearing(self, options.silence_ms)

    async def speak(
        self,
        text: str,
        voice_name: str | None,
        language_code: str | None,
    ) -> AsyncIterator[bytes]:
        self.spoken.append((text, voice_name, language_code))
        # Every byte value occurs, so that the base64 alphabets differ.
        pcm = (bytes(range(256)) * (1 + len(text) * LETTER_MS * 48 // 256))[
            : len(text) * LETTER_MS * 48
        ]
        for start in range(0, len(pcm), 4800):
            yield pcm[start : start + 4800]

    async def close(self) -> None:
        """Nothing was started."""

    async def answer(self, turn: Turn) -> AsyncIterator[Say | Thought | ToolRequest]:
        self.turns.append(turn)
        self.open_answers += 1
        try:
            for part in self.answers(turn):
                if isinstance(part, Say | Thought | ToolRequest):
                    yield part
                else:
                    await part()
        finally:
            self.open_answers -= 1
