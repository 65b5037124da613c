"""The engine of the local Live API: hears, sees, answers and speaks, for all conversations.

It owns the worker processes (one that recognises speech, one that speaks) and the threads that
look at frames. No model is fetched, and nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_agent.local.contract import HearingOptions, Say, ToolRequest, Turn
from vision_agent.local.engine.answers.agent_transfer import spoken_names
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.answers.sign_of_life import with_signs_of_life
from vision_agent.local.engine.answers.taught_objects import TaughtObjects
from vision_agent.local.engine.answers.taught_store import TaughtStore
from vision_agent.local.engine.hearing.endpointing import Sensitivity
from vision_agent.local.engine.hearing.recognizer import Recognizer
from vision_agent.local.engine.hearing.vad_stream import SpeechDetector
from vision_agent.local.engine.language.taught_names import TaughtNames
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.engine.sight import Sight
from vision_agent.local.engine.speech.synthesis import Speech
from vision_agent.own_models import Ears

if TYPE_CHECKING:
    from vision_agent.local.senses.ears import OwnRecognizer


class LocalEngine:
    """An engine, made with ``start``; ``close`` ends its processes and threads.

    Args:
        data_dir: Where it keeps what users teach; None keeps it until it is closed.
        whisper: The Whisper to hear with, a folder or a name; empty for the bundled one.
        ears: A server that hears instead.
    """

    def __init__(
        self, data_dir: Path | None = None, whisper: str = "", ears: Ears | None = None
    ) -> None:
        names = TaughtNames()
        self._understanding = Understanding()
        self._recognizer = self._recognizing(names, whisper, ears)
        self._sight = Sight()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="vision-agent-")
            data_dir = Path(self._temporary.name)
        store = TaughtStore(data_dir / "taught")
        taught = TaughtObjects(self._sight, store, names)
        self._responder = Responder(self._sight, taught, self._understanding)
        self._speech = Speech()
        self._warming: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        data_dir: Path | None = None,
        whisper: str = "",
        ears: Ears | None = None,
        *,
        looks: bool = True,
    ) -> LocalEngine:
        """Start the workers in the background; whoever needs one first waits for it.

        Args:
            data_dir: As of the class.
            whisper: As of the class.
            ears: As of the class.
            looks: Whether sight is loaded too; without it, it is loaded by the first look.
        """
        engine = cls(data_dir, whisper, ears)
        engine._recognizer.start()
        engine._speech.begin()
        if looks:
            engine._warming = asyncio.create_task(engine._sight.warm_up(), name="sight warm-up")
        return engine

    async def close(self) -> None:
        """End the workers; unfinished speech and transcripts are dropped. Safe to repeat."""
        await self._speech.close()
        await self._recognizer.close()
        await self._sight.close()
        self._understanding.close()
        if self._warming is not None:
            # It has been cancelled with the thread pool, if it had not begun.
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._temporary is not None:
            self._temporary.cleanup()

    def _recognizing(
        self, names: TaughtNames, whisper: str, ears: Ears | None
    ) -> Recognizer | OwnRecognizer:
        if ears is None:
            return Recognizer(names, self._understanding, whisper)
        # Imported here, because its package, openai, is optional.
        from vision_agent.local.senses.ears import OwnRecognizer

        return OwnRecognizer(ears, names, self._understanding)

    def hearing(
        self,
        options: HearingOptions,
        tools: Sequence[Mapping[str, Any]] = (),
        instruction: str = "",
    ) -> SpeechDetector:
        """The hearing of one conversation.

        Args:
            options: When speech starts and ends.
            tools: The agent's function declarations, in which other agents are named.
            instruction: The agent's system instruction, in which its own name is.
        """
        self._understanding.begin()
        agents = spoken_names(tools, instruction)
        return SpeechDetector(self._recognizer, Sensitivity.of(options), agents=agents)

    def speak(
        self,
        text: str,
        voice_name: str | None = None,
        language_code: str | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Speak a text; closing the iterator ends the synthesis.

        Args:
            text: Any length.
            voice_name: One of the Live API's voices; unknown ones, and none, are the default.
            language_code: BCP-47; English where the synthesiser lacks the language.

        Yields:
            s16le mono 24 kHz in pieces of 100 ms or less, much faster than real time.

        Raises:
            SpeechError: The synthesiser cannot be started, or died on this text.
        """
        return self._speech.say(text, voice_name, language_code)

    def answer(self, turn: Turn) -> AsyncGenerator[Say | ToolRequest, None]:
        """Answer a turn: sentences as they are ready, or a tool to call first."""
        return with_signs_of_life(self._responder.answer(turn))
