"""What goes to the model, bounded: ADK's LiveRequestQueue with a policy for every kind.

ADK's own queue has no bound and keeps accepting after its reader has died, so a stalled model would
cost memory without end, and the model would answer about the past. ADK's sender awaits each send
before it takes the next request, so what waits here shows how far the model is behind.

===========  ==================================================================
text         never dropped (the caller's, and notices of tools)
tool result  never dropped (ADK puts those in itself, by `send_content`), with its pictures
signal       never dropped: end of the audio stream, close
frame        one of each source waits at most, the newest: an older one is replaced, and so are
             the pictures that a caller has sent by the next ones; before a frame of another source
             than the last one goes a frame that says so (`notice_frames`)
audio        in order; past `audio_limit_ms` waiting, the oldest is dropped; while there is no
             model at all, past `held_audio_limit_ms`
===========  ==================================================================
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace

from google.adk.agents.live_request_queue import LiveRequest, LiveRequestQueue
from google.genai import types

from vision_agent.live.notice_frames import off_jpeg, title_jpeg
from vision_agent.live.shown import FRAME_MIME, FrameSource, Shown, as_parts, marked

AUDIO_MIME = "audio/pcm;rate=16000"
AUDIO_BYTES_PER_MS = 32
"""s16le mono at 16 kHz."""

JPEG_START = b"\xff\xd8\xff"

MAX_AUDIO_BYTES = 32_000
"""One second: longer chunks could neither be dropped in parts nor arrive in time."""

MAX_FRAME_BYTES = 2_000_000
MAX_TEXT_CHARS = 20_000


SOURCES: tuple[FrameSource, ...] = ("screen", "picture", "camera")
"""The order in which a new connection is shown what there is: what it sees last is the camera."""

_SOUND = LiveRequest(blob=types.Blob(data=b"", mime_type=AUDIO_MIME))


class WrongFormat(ValueError):
    """The Live API does not take what was queued; the text says why."""


class _FrameRequest(LiveRequest):
    """A frame that waits.

    Attributes:
        source: Where it is from.
        off: Whether it says that its source shows nothing any more.
    """

    source: FrameSource = "camera"
    off: bool = False


@dataclass(slots=True)
class LiveQueueCounters:
    """Requests that were queued or dropped, milliseconds of audio, and pictures in tool results."""

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
        self._newest: dict[FrameSource, list[_FrameRequest]] = {}
        self._told: FrameSource | None = "camera"
        self._several = False
        self._reader: asyncio.Task[object] | None = None
        self._reader_failed: Callable[[Exception], None] = lambda _error: None

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
        self.send(_sound_request(pcm))

    def frame(self, jpeg: bytes, source: FrameSource = "camera") -> None:
        """Queue a JPEG frame, replacing one of that source that still waits.

        Raises:
            WrongFormat: It is not a JPEG file, or too large.
        """
        self.send(_FrameRequest(blob=_frame_blob(marked(jpeg, source)), source=source))

    def source_off(self, source: FrameSource) -> None:
        """Queue the frame that says that a source shows nothing any more."""
        blob = types.Blob(data=off_jpeg(source), mime_type=FRAME_MIME)
        self.send(_FrameRequest(blob=blob, source=source, off=True))

    def pictures(self, jpegs: Sequence[bytes]) -> None:
        """Queue the pictures that the caller asks about, replacing those that still wait.

        Raises:
            WrongFormat: One is not a JPEG file, or too large.
        """
        blobs = [_frame_blob(marked(jpeg, "picture")) for jpeg in jpegs]
        self.counters.frames_replaced += self._drop_frames("picture")
        self._newest["picture"] = []
        for blob in blobs:
            self.send(_FrameRequest(blob=blob, source="picture"))

    def forget_pictures(self) -> None:
        """What is asked next is no longer about the pictures that the caller has sent."""
        self._newest.pop("picture", None)

    def text(self, text: str, shown: Sequence[Shown] = ()) -> None:
        """Queue typed text as a complete user turn; `WrongFormat` if it is empty or too long.

        Args:
            text: The words.
            shown: The pictures that they are about. They are part of the turn, before the words: a
                typed turn does not see streamed frames.
        """
        if not text.strip():
            raise WrongFormat("An empty text is not a turn.")
        if len(text) > MAX_TEXT_CHARS:
            raise WrongFormat(f"A text has at most {MAX_TEXT_CHARS} characters, not {len(text)}.")
        for each in shown:
            _frame_blob(each.jpeg)
        parts = [*as_parts([_marked(each) for each in shown]), types.Part(text=text)]
        self.send_content(types.Content(role="user", parts=parts))

    def context(self, text: str, role: str) -> None:
        """Queue words of a role ("user" or "model") as context that wants no answer."""
        content = types.Content(role=role, parts=[types.Part(text=text)])
        self.send_content(content, partial=True)

    @property
    def texts_waiting(self) -> int:
        """The number of texts that have not been sent to the model yet."""
        return sum(_is_text(request) for request in self._waiting)

    def hold(self) -> None:
        """Let nothing out until `release`; everything waits, under the policy for its kind."""
        self._held = True
        self._limit_ms = self._held_audio_limit_ms

    def release(self) -> None:
        """Let out what waits, and everything that follows."""
        self._held = False
        self._arrived.set()

    def watch_reader(self, failed: Callable[[Exception], None]) -> None:
        """Have ``failed`` called if the task that reads fails.

        ADK looks at the task in which it sends only when the model's messages end: until then the
        model would hear nothing, and nobody would know.
        """
        self._reader_failed = failed

    def take_frames(self) -> list[types.Blob]:
        """The newest frame of each source, for a connection that has not seen it.

        The frames leave the queue. They include those that say that a source is off, and those that
        name the source of the next one.
        """
        self._told = None
        frames: list[types.Blob] = []
        for source in SOURCES:
            self._drop_frames(source)
            for newest in self._newest.get(source, []):
                if newest.blob is None:
                    continue
                if (title := self._title(newest)) is not None:
                    frames.append(title)
                self._has_told(newest)
                frames.append(newest.blob)
        return frames

    @property
    def visible(self) -> list[Shown]:
        """The newest frame of each source that shows something now."""
        return [
            Shown(request.blob.data, request.source)
            for source in SOURCES
            for request in self._newest.get(source, [])
            if not request.off and request.blob and request.blob.data
        ]

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
        elif _is_image(req):
            frame = req if isinstance(req, _FrameRequest) else _FrameRequest(blob=req.blob)
            self.counters.frames += 1
            if frame.source == "picture":
                self._newest.setdefault("picture", []).append(frame)
            else:
                self.counters.frames_replaced += self._drop_frames(frame.source)
                self._newest[frame.source] = [frame]
            req = frame
            self._several |= frame.source != "camera"
        elif req.blob is not None:
            self._make_room_for(_audio_ms(req))
        elif req.content is not None:
            if _is_text(req):
                self.counters.texts += 1
            else:
                self.counters.tool_results += 1
                self.counters.close_looks += _images_in(req.content)
        self._waiting.append(req)
        self._arrived.set()

    async def get(self) -> LiveRequest:
        """The next request. Safe to cancel: nothing is removed before it is returned."""
        reader = asyncio.current_task()
        if reader is not None and reader is not self._reader:
            self._reader = reader
            reader.add_done_callback(self._reader_ended)
        while not self._waiting or self._held:
            self._arrived.clear()
            await self._arrived.wait()
        if (title := self._title(self._waiting[0])) is not None:
            self._has_told(self._waiting[0])
            return LiveRequest(blob=title)
        request = self._waiting.popleft()
        self._has_told(request)
        self._audio_waiting_ms -= _audio_ms(request)
        if not self._held and self._audio_waiting_ms <= self._audio_limit_ms:
            # What was held has been sent: from now on the bound is that of a slow model.
            self._limit_ms = self._audio_limit_ms
        return request

    def _reader_ended(self, reader: asyncio.Task[object]) -> None:
        if reader is self._reader:
            self._reader = None
            if not reader.cancelled() and isinstance(error := reader.exception(), Exception):
                self._reader_failed(error)

    def _drop_frames(self, source: FrameSource) -> int:
        """Remove the frames of a source that wait; returns how many there were."""
        waiting = [r for r in self._waiting if isinstance(r, _FrameRequest) and r.source == source]
        for request in waiting:
            self._waiting.remove(request)
        return len(waiting)

    def _title(self, request: LiveRequest) -> types.Blob | None:
        """The frame that has to come first; None if the model knows where this one is from.

        A camera needs none as long as it is the only source there has been.
        """
        if not isinstance(request, _FrameRequest) or request.off or request.source == self._told:
            return None
        if request.source == "camera" and not self._several:
            return None
        return types.Blob(data=title_jpeg(request.source), mime_type=FRAME_MIME)

    def _has_told(self, request: LiveRequest) -> None:
        if isinstance(request, _FrameRequest):
            self._told = None if request.off else request.source

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


def _sound_request(pcm: bytes) -> LiveRequest:
    """A copy of a validated request: to validate each costs 5.5 µs instead of 2.7."""
    blob, request = copy(_SOUND.blob), copy(_SOUND)
    assert blob is not None
    blob.__dict__["data"] = pcm  # assignment would validate it
    request.__dict__["blob"] = blob
    return request


def _frame_blob(jpeg: bytes) -> types.Blob:
    if not jpeg.startswith(JPEG_START):
        raise WrongFormat(f"A picture is a JPEG file; this begins with {jpeg[:4].hex(' ')!r}.")
    if len(jpeg) > MAX_FRAME_BYTES:
        raise WrongFormat(f"A picture has at most {MAX_FRAME_BYTES} bytes, not {len(jpeg)}.")
    return types.Blob(data=jpeg, mime_type=FRAME_MIME)


def _marked(shown: Shown) -> Shown:
    # A frame that was streamed has its mark.
    if b"[frame]" in shown.jpeg[:20]:
        return shown
    return replace(shown, jpeg=marked(shown.jpeg, shown.source))


def _is_text(request: LiveRequest) -> bool:
    parts = (request.content.parts or []) if request.content else []
    return bool(parts) and not any(part.function_response for part in parts)


def _images_in(content: types.Content) -> int:
    responses = [part.function_response for part in content.parts or [] if part.function_response]
    return sum(len(response.parts or []) for response in responses)


def _is_image(request: LiveRequest) -> bool:
    return request.blob is not None and (request.blob.mime_type or "").startswith("image/")


def _audio_ms(request: LiveRequest) -> int:
    blob = request.blob
    if blob is None or not (blob.mime_type or "").startswith("audio/"):
        return 0
    return len(blob.data or b"") // AUDIO_BYTES_PER_MS
