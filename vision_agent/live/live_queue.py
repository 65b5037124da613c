"""What goes to the model, bounded: ADK's LiveRequestQueue with a policy for every kind.

ADK's own queue has no bound and keeps accepting after its reader has died, so a stalled model would
cost memory without end, and the model would answer about the past. ADK's sender awaits each send
before it takes the next request, so what waits here shows how far the model is behind.

===========  ==================================================================
text         never dropped (the caller's, and notices of tools)
tool result  never dropped (ADK puts those in itself, by `send_content`)
signal       never dropped: end of the audio stream, close
frame        one waits at most, the newest: an older one is replaced
audio        in order; past `audio_limit_ms` waiting, the oldest is dropped; while there is no
             model at all, past `held_audio_limit_ms`
close look   never dropped: a tool promised it, and the tool's result comes after it
===========  ==================================================================
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from google.adk.agents.live_request_queue import LiveRequest, LiveRequestQueue
from google.genai import types

AUDIO_MIME = "audio/pcm;rate=16000"
AUDIO_BYTES_PER_MS = 32
"""s16le mono at 16 kHz."""

FRAME_MIME = "image/jpeg"
JPEG_START = b"\xff\xd8\xff"

MAX_AUDIO_BYTES = 32_000
"""One second: longer chunks could neither be dropped in parts nor arrive in time."""

MAX_FRAME_BYTES = 2_000_000
MAX_TEXT_CHARS = 20_000


class WrongFormat(ValueError):
    """The Live API does not take what was queued; the text says why."""


@dataclass(slots=True)
class LiveQueueCounters:
    """Requests that were queued or dropped, and milliseconds of audio."""

    audio_ms: int = 0
    audio_dropped_ms: int = 0
    frames: int = 0
    frames_replaced: int = 0
    close_looks: int = 0
    texts: int = 0
    tool_results: int = 0


class LiveQueue(LiveRequestQueue):
    """The live queue of one call.

    Every public method of `LiveRequestQueue` is overridden and none of its private parts is used,
    so ADK reads from it and puts tool results into it as into its own.

    Args:
        audio_limit_ms: How much audio may wait for a slow model before the oldest is dropped.
        held_audio_limit_ms: The same while there is no connection: long enough for a question,
            which the model should get from its beginning once it is connected.
    """

    def __init__(self, *, audio_limit_ms: int = 2_000, held_audio_limit_ms: int = 15_000) -> None:
        super().__init__()
        self.counters = LiveQueueCounters()
        self._audio_limit_ms = audio_limit_ms
        self._held_audio_limit_ms = held_audio_limit_ms
        self._limit_ms = audio_limit_ms
        self._waiting: deque[LiveRequest] = deque()
        self._audio_waiting_ms = 0
        self._arrived = asyncio.Event()
        self._closed_by_us = False
        self._held = False

    # Used by the call.

    def audio(self, pcm: bytes) -> None:
        """Queue s16le mono 16 kHz PCM.

        Raises:
            WrongFormat: Half a sample, no sample, or more than a second.
        """
        if len(pcm) % 2:
            raise WrongFormat(f"PCM of 16-bit samples has an even size, not {len(pcm)} bytes.")
        if not 0 < len(pcm) <= MAX_AUDIO_BYTES:
            raise WrongFormat(
                f"A chunk of audio has 1 to {MAX_AUDIO_BYTES} bytes (a second), not {len(pcm)}."
            )
        if pcm[:4] == b"RIFF" and pcm[8:12] == b"WAVE":
            raise WrongFormat("That is a WAV file; the model takes bare PCM, 16 kHz s16le mono.")
        self.send_realtime(types.Blob(data=pcm, mime_type=AUDIO_MIME))

    def frame(self, jpeg: bytes) -> None:
        """Queue a JPEG frame, replacing one that still waits; `WrongFormat` if it is none."""
        self.send_realtime(_frame_blob(jpeg))

    def close_look(self, jpeg: bytes) -> None:
        """Queue a JPEG that is never replaced; `WrongFormat` if it is none."""
        self.send(_CloseLook(blob=_frame_blob(jpeg)))

    def text(self, text: str) -> None:
        """Queue typed text as a complete user turn; `WrongFormat` if it is empty or too long."""
        if not text.strip():
            raise WrongFormat("An empty text is no turn.")
        if len(text) > MAX_TEXT_CHARS:
            raise WrongFormat(f"A text has at most {MAX_TEXT_CHARS} characters, not {len(text)}.")
        self.send_content(types.Content(role="user", parts=[types.Part(text=text)]))

    def context(self, text: str, role: str) -> None:
        """Queue words of a role ("user" or "model") as context that wants no answer."""
        content = types.Content(role=role, parts=[types.Part(text=text)])
        self.send_content(content, partial=True)

    @property
    def texts_waiting(self) -> int:
        """The number of texts that have not been sent to the model yet."""
        return sum(_is_text(request) for request in self._waiting)

    @property
    def audio_waiting_ms(self) -> int:
        """Milliseconds of audio that have not been sent to the model yet."""
        return self._audio_waiting_ms

    def hold(self) -> None:
        """Let nothing out until `release`; everything waits, under the policy for its kind."""
        self._held = True
        self._limit_ms = self._held_audio_limit_ms

    def release(self) -> None:
        """Let out what waits, and everything that follows."""
        self._held = False
        self._arrived.set()

    # `LiveRequestQueue`, used by ADK.

    @property
    def closed(self) -> bool:
        """Whether `close` was called. Nothing is accepted afterwards."""
        return self._closed_by_us

    def close(self) -> None:
        """Let ADK's sender close the model connection after everything that waits was sent."""
        self.send(LiveRequest(close=True))

    def send_content(self, content: types.Content, partial: bool = False) -> None:
        """Queue text or tool results; never dropped."""
        self.send(LiveRequest(content=content, partial=partial))

    def send_realtime(self, blob: types.Blob) -> None:
        """Queue audio or a camera frame, under the policy for its kind."""
        self.send(LiveRequest(blob=blob))

    def send_activity_start(self) -> None:
        """Queue the start of the caller's speech (automatic detection off)."""
        self.send(LiveRequest(activity_start=types.ActivityStart()))

    def send_activity_end(self) -> None:
        """Queue the end of the caller's speech (automatic detection off)."""
        self.send(LiveRequest(activity_end=types.ActivityEnd()))

    def send_audio_stream_end(self) -> None:
        """Queue the signal that the microphone was muted: the model processes the audio it has."""
        self.send(LiveRequest(audio_stream_end=True))

    def send(self, req: LiveRequest) -> None:
        """Queue any request, under the policy for its kind."""
        if self._closed_by_us:
            return
        if req.close:
            self._closed_by_us = True
            self._held = False
        elif isinstance(req, _CloseLook):
            self.counters.close_looks += 1
        elif _is_frame(req):
            self._replace_frame()
        elif req.blob is not None:
            self._make_room_for(_audio_ms(req))
        elif req.content is not None:
            if _is_text(req):
                self.counters.texts += 1
            else:
                self.counters.tool_results += 1
        self._waiting.append(req)
        self._arrived.set()

    async def get(self) -> LiveRequest:
        """The next request. Safe to cancel: nothing is removed before it is returned."""
        while not self._waiting or self._held:
            self._arrived.clear()
            await self._arrived.wait()
        request = self._waiting.popleft()
        self._audio_waiting_ms -= _audio_ms(request)
        if not self._held and self._audio_waiting_ms <= self._audio_limit_ms:
            # What was held has been sent: from now on the bound is that of a slow model.
            self._limit_ms = self._audio_limit_ms
        return request

    def _replace_frame(self) -> None:
        self.counters.frames += 1
        for request in self._waiting:
            if _is_frame(request):
                self._waiting.remove(request)
                self.counters.frames_replaced += 1
                return

    def _make_room_for(self, added_ms: int) -> None:
        self.counters.audio_ms += added_ms
        self._audio_waiting_ms += added_ms
        while self._audio_waiting_ms > self._limit_ms:
            oldest = next((r for r in self._waiting if _audio_ms(r)), None)
            if oldest is None:
                return  # a single chunk longer than the limit: there is nothing older to drop
            self._waiting.remove(oldest)
            self._audio_waiting_ms -= _audio_ms(oldest)
            self.counters.audio_dropped_ms += _audio_ms(oldest)


class _CloseLook(LiveRequest):
    """A frame that a tool has asked for."""


def _frame_blob(jpeg: bytes) -> types.Blob:
    if not jpeg.startswith(JPEG_START):
        raise WrongFormat(f"A picture is a JPEG file; this begins with {jpeg[:4].hex(' ')!r}.")
    if len(jpeg) > MAX_FRAME_BYTES:
        raise WrongFormat(f"A picture has at most {MAX_FRAME_BYTES} bytes, not {len(jpeg)}.")
    return types.Blob(data=jpeg, mime_type=FRAME_MIME)


def _is_text(request: LiveRequest) -> bool:
    parts = (request.content.parts or []) if request.content else []
    return bool(parts) and not any(part.function_response for part in parts)


def _is_frame(request: LiveRequest) -> bool:
    return not isinstance(request, _CloseLook) and _has_frame(request)


def _has_frame(request: LiveRequest) -> bool:
    return request.blob is not None and (request.blob.mime_type or "").startswith("image/")


def _audio_ms(request: LiveRequest) -> int:
    blob = request.blob
    if blob is None or not (blob.mime_type or "").startswith("audio/"):
        return 0
    return len(blob.data or b"") // AUDIO_BYTES_PER_MS
