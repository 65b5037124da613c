"""A client's input, and the messages it receives, in one word each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from google.genai import live, types

LOUD = b"\x10\x27" * 320
QUIET = bytes(640)


BESIDE = ("thought", "session_resumption_update", "not_resumable", "voice_activity")


CAPTIONS = {"output_audio_transcription": types.AudioTranscriptionConfig()}


def frame(data: bytes) -> types.Blob:
    return types.Blob(data=data, mime_type="image/jpeg")


def audio(pcm: bytes) -> types.Blob:
    return types.Blob(data=pcm, mime_type="audio/pcm;rate=16000")


async def send_sound(
    session: live.AsyncSession, pcm: bytes, times: int, *, chunks: bool = False
) -> None:
    """Send 20 ms pieces without pauses between them; with ``chunks``, in the 2.5 dialect."""
    for _ in range(times):
        if chunks:
            await session.send_realtime_input(media=audio(pcm))
        else:
            await session.send_realtime_input(audio=audio(pcm))


async def say(session: live.AsyncSession, *, chunks: bool = False) -> None:
    """Speak for 200 ms and be silent for 1300 ms, which ends the utterance for every model."""
    await send_sound(session, LOUD, 10, chunks=chunks)
    await send_sound(session, QUIET, 65, chunks=chunks)


async def type_text(session: live.AsyncSession, text: str) -> None:
    await session.send_client_content(
        turns=types.Content(role="user", parts=[types.Part(text=text)])
    )


def kinds(message: types.LiveServerMessage) -> list[str]:
    """The parts of a message, in one word each."""
    said = ["usage_metadata"] if message.usage_metadata else []
    content = message.server_content
    if content is not None:
        if content.input_transcription:
            said.append("heard")
        for part in (content.model_turn.parts if content.model_turn else None) or []:
            said.append("audio" if part.inline_data else "thought" if part.thought else "text")
        if content.output_transcription:
            said.append("caption")
        for name in ("interrupted", "generation_complete", "turn_complete", "waiting_for_input"):
            if getattr(content, name):
                said.append(name)
    for name in (
        "tool_call",
        "tool_call_cancellation",
        "go_away",
        "voice_activity",
    ):
        if getattr(message, name):
            said.append(name)
    update = message.session_resumption_update
    if update is not None:
        said.append("session_resumption_update" if update.resumable else "not_resumable")
    return said


class Heard:
    """All messages that a client received, read in the background until its session ends."""

    def __init__(self, session: live.AsyncSession) -> None:
        self.messages: list[types.LiveServerMessage] = []
        self._news = asyncio.Condition()
        self._session = session
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            async for message in self._session.receive():
                async with self._news:
                    self.messages.append(message)
                    self._news.notify_all()

    async def __aenter__(self) -> Heard:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def order(self) -> list[str]:
        """The kinds of the messages in order; repeated audio and captions count once.

        Kinds that come at a different place with each model are left out (`BESIDE`).
        """
        order: list[str] = []
        for message in self.messages:
            for kind in kinds(message):
                repeated = kind in ("audio", "caption") and kind in order[-2:]
                repeated |= kind == "heard" and kind in order[-1:]
                if kind not in BESIDE and not repeated:
                    order.append(kind)
        return order

    @property
    def captions(self) -> str:
        return "".join(
            message.server_content.output_transcription.text or ""
            for message in self.messages
            if message.server_content and message.server_content.output_transcription
        )

    @property
    def sound(self) -> bytes:
        return b"".join(message.data or b"" for message in self.messages)

    def count(self, kind: str) -> int:
        return sum(kinds(message).count(kind) for message in self.messages)

    async def until(
        self, kind: str, times: int = 1, *, within_s: float = 10.0
    ) -> types.LiveServerMessage:
        """Wait until a kind has been received this often; returns the last such message."""
        found = await self.until_true(lambda: self.count(kind) >= times, within_s=within_s)
        assert found
        matching = [message for message in self.messages if kind in kinds(message)]
        return matching[times - 1]

    async def until_true(self, condition: Callable[[], bool], *, within_s: float = 10.0) -> bool:
        def over() -> bool:
            return condition() or self._task.done()

        async with asyncio.timeout(within_s), self._news:
            ended = asyncio.ensure_future(self._notify_at_end())
            try:
                await self._news.wait_for(over)
            finally:
                ended.cancel()
        if not condition():
            self._task.result()
        return True

    async def _notify_at_end(self) -> None:
        await asyncio.wait([self._task])
        async with self._news:
            self._news.notify_all()
