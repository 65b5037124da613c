"""Asks a server with OpenAI's interface for speech, and reads the sound as it comes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, aclosing
from typing import TypeVar

import av
import openai
from openai._response import AsyncStreamedBinaryAPIResponse

from vision_agent.local.brain.failures import INTERFACES, BrainFailure, Part
from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.openai_server import FAILURES, OpenAIServer
from vision_agent.own_models import SpeechServer

FIRST_SOUND_S = 15.0
"""The longest wait for a sentence's first sound, and between two pieces of it."""

LONGEST_BYTES = 2 * OUTPUT_RATE_HZ * 120
"""The most sound of one sentence, two minutes; the rest is not read."""

PIECE_BYTES = 2 * OUTPUT_RATE_HZ // 10

_T = TypeVar("_T")

_PART: Part = "voice"
_CONTAINERS = (b"RIFF", b"OggS", b"fLaC", b"ID3")
"""The first bytes of container formats; `pcm` has none."""

_NO_SUCH_FORMAT = (400, 415, 422)


class SpeechClient:
    """A client of one server; any number of sentences at once.

    Args:
        server: The server.
    """

    def __init__(self, server: SpeechServer) -> None:
        self._named = server
        self._server = OpenAIServer(server, "--voice-model")
        self._pcm = True

    async def close(self) -> None:
        """Close every connection."""
        await self._server.close()

    async def say(self, text: str) -> AsyncGenerator[bytes, None]:
        """The sound of a sentence; closing the generator closes the request at once.

        Yields:
            s16le mono 24 kHz, 100 ms each except for the last piece.

        Raises:
            BrainFailure: There is no sound, or it broke off.
        """
        host, opened = self._named.host, False
        made = bytearray()
        try:
            async with aclosing(self._sound(text)) as sound:
                async for pcm in sound:
                    opened = True
                    made += pcm
                    while len(made) >= PIECE_BYTES:
                        yield bytes(made[:PIECE_BYTES])
                        del made[:PIECE_BYTES]
        except TimeoutError:
            raise BrainFailure(
                "slow",
                f"My voice at {host} has said nothing for {FIRST_SOUND_S:g} seconds.",
            ) from None
        except FAILURES as error:
            raise self._server.failure(error, _PART, opened=opened) from error
        if made:
            yield bytes(made)

    async def _sound(self, text: str) -> AsyncGenerator[bytes, None]:
        """The sound of a sentence in pieces of any size."""
        came, file = 0, bytearray()
        async with AsyncExitStack() as stack:
            response = await _soon(self._open(text, stack))
            kind = response.headers.get("content-type", "").lower()
            if "json" in kind or "text" in kind:
                raise BrainFailure(
                    "no_api",
                    f"The server at {self._named.host} does not speak OpenAI's "
                    f"{INTERFACES[_PART]} interface.",
                    f"{kind} instead of sound",
                )
            is_file, odd = "mpeg" in kind, b""
            coming = aiter(response.iter_bytes())
            while came <= LONGEST_BYTES and (data := await _soon(anext(coming, b""))):
                is_file = is_file or (came == 0 and data.startswith(_CONTAINERS))
                came += len(data)
                if is_file:
                    file += data
                    continue
                data = odd + data
                whole = len(data) & ~1
                odd = data[whole:]
                yield data[:whole]
        if file:
            yield await asyncio.to_thread(decoded, bytes(file))
        elif came == 0:
            raise BrainFailure(
                "empty", f"My voice at {self._named.host} gave no sound for a sentence."
            )

    async def _open(self, text: str, stack: AsyncExitStack) -> AsyncStreamedBinaryAPIResponse:
        """The response to one sentence; a server without `pcm` is asked for a WAV file."""
        speech = self._server.client.audio.speech.with_streaming_response
        while True:
            asking = speech.create(
                input=text,
                model=await self._server.model_name("tts-1"),
                voice=self._named.speaker,
                response_format="pcm" if self._pcm else "wav",
            )
            try:
                return await stack.enter_async_context(asking)
            except openai.APIStatusError as error:
                if not self._pcm or error.status_code not in _NO_SUCH_FORMAT:
                    raise
                self._pcm = False


async def _soon(coming: Awaitable[_T]) -> _T:
    async with asyncio.timeout(FIRST_SOUND_S):
        return await coming


def decoded(file: bytes) -> bytes:
    """The sound of a file of any format that FFmpeg reads, s16le mono 24 kHz, at most two minutes.

    Raises:
        ValueError: The file is not a sound.
    """
    resampler = av.AudioResampler("s16", "mono", OUTPUT_RATE_HZ)
    made = bytearray()
    try:
        with av.open(io.BytesIO(file), "r") as container:
            for frame in container.decode(audio=0):
                for out in resampler.resample(frame):
                    made += out.to_ndarray().tobytes()
                if len(made) >= LONGEST_BYTES:
                    break
        for out in resampler.resample(None):
            made += out.to_ndarray().tobytes()
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(f"no sound that can be read: {error}") from None
    return bytes(made[:LONGEST_BYTES])
