"""One call from offer to goodbye: joins the peer's half and the model's half."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, Literal

from aiortc import MediaStreamTrack, RTCDataChannel

from vision_agent.agent_host import AgentHost
from vision_agent.live.call_options import CallOptions
from vision_agent.live.events import (
    AgentTranscript,
    Interrupted,
    LiveEvent,
    ToolCall,
    ToolResult,
    TurnComplete,
    Usage,
    UserTranscript,
    Voice,
)
from vision_agent.live.failure import LiveFailure
from vision_agent.live.intake import Intake
from vision_agent.metrics import Metrics
from vision_agent.rtc import Camera, Channel, Frame, Microphone, Peer, Speaker, VoiceActivity
from vision_agent.settings import Settings

logger = logging.getLogger(__name__)

State = Literal["connecting", "listening", "thinking", "speaking", "reconnecting", "ended"]

SPEECH_END_PICTURE_S = 0.5
"""How long after the caller's speech a fresh picture is waited for before its age is told."""

CLIENT_READY_TIMEOUT_S = 5.0
"""How long a call that has failed is kept open for a client that can't show why yet."""

SPEECH_STOP_MS = 300
"""Quiet that counts as the end of the caller's speech; shorter than the model's own endpointing."""

THINKING_LIMIT_S = 8.0
"""A model may rightly not answer (a cough, music): the caller is told it listens again."""


class Call:
    """One call.

    It listens to its peer (`PeerListener`), to its channel (`ChannelListener`) and to its live
    session, and is the only one who knows all three. Every task it starts it also awaits, in
    `close`.

    Args:
        call_id: Also the `pc_id` of the signalling.
        host: The agent.
        settings: The server's options.
        metrics: The server's counters.
        options: How the agent answers in this call.
        on_closed: Called once, when nothing of the call is left.
    """

    def __init__(
        self,
        call_id: str,
        host: AgentHost,
        settings: Settings,
        metrics: Metrics,
        *,
        options: CallOptions,
        on_closed: Callable[[Call], None],
    ) -> None:
        self.call_id = call_id
        self._host = host
        self._settings = settings
        self._metrics = metrics
        self._options = options
        self._tell_closed = on_closed

        self._intake = Intake()
        self._channel = Channel(self, {"library": "vision_agent", "version": host.version})
        self._activity = VoiceActivity(stop_ms=SPEECH_STOP_MS)
        self._new_peer()

        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._client_ready = asyncio.Event()
        self._replacing_peer = False
        self._live_started = False
        self._state: State = "connecting"
        self._muted = False
        self._answer = ""
        self._answering = False
        self._newest_frame: Frame | None = None
        self._speech_ended_at: float | None = None
        self._counted = (0, 0, 0, 0)

    # Signalling

    async def answer(self, sdp: str) -> str:
        """Accept the offer; the answer's SDP. `BadOffer` if it is none, and nothing is left."""
        return await self._peer.accept(sdp)

    async def restart(self, sdp: str) -> str:
        """A new peer connection under the same conversation: the caller's network changed."""
        old = self._peer
        self._replacing_peer = True
        try:
            await old.close("replaced by a new connection")
        finally:
            self._replacing_peer = False
        self._new_peer()
        return await self._peer.accept(sdp)

    async def add_candidates(self, candidates: list[dict[str, Any]]) -> None:
        """Trickled ICE candidates from the caller."""
        await self._peer.add_candidates(candidates)

    async def close(self, reason: str) -> None:
        """End the call and wait until nothing of it is left; idempotent."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason), name=f"close-{self.call_id}")
        await asyncio.shield(self._closing)

    # PeerListener

    def on_connected(self) -> None:
        """The peer is there: start the model's side, once."""
        if not self._live_started:
            self._live_started = True
            self._start(self._converse(), "live")

    def on_microphone(self, track: MediaStreamTrack) -> None:
        """Listen to the caller."""
        self._start(self._microphone.run(track), "microphone")

    def on_camera(self, track: MediaStreamTrack) -> None:
        """Watch the caller's camera."""
        self._start(self._camera.run(track), "camera")

    def on_screen(self, track: MediaStreamTrack) -> None:
        """A shared screen is not watched; the peer drains it."""

    def on_channel(self, channel: RTCDataChannel) -> None:
        """The caller opened the data channel."""
        self._channel.attach(channel)

    def on_closed(self, reason: str) -> None:
        """The peer is gone, and with it the call."""
        if not self._replacing_peer:
            self._channel.gone()
            self._end(reason)

    # ChannelListener

    def on_client_ready(self) -> None:
        """The caller's client can show things now: tell it where we are."""
        self._client_ready.set()
        self._channel.server_message({"kind": "state", "state": self._state, "reason": None})

    def on_text(self, text: str) -> None:
        """The caller typed: it is a turn like a spoken one."""
        self._intake.text(text)
        self._camera.look_now()
        self._set_state("thinking")

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        """The caller muted or unmuted; a muted microphone's silence is not worth sending."""
        if receiver_index == 0:
            if not enabled and not self._muted:
                self._intake.send_audio_stream_end()
            self._muted = not enabled

    def on_client_message(self, type: str, data: object) -> object | None:
        """No messages of our own yet."""
        return None

    def on_goodbye(self) -> None:
        """The caller hung up."""
        self._end("the caller hung up")

    # Media in

    def _on_audio(self, chunk: bytes) -> None:
        if self._muted:
            return
        self._intake.audio(chunk)
        match self._activity.feed(chunk):
            case "started":
                self._channel.user_speaking(True)
                self._camera.look_now()
            case "stopped":
                self._channel.user_speaking(False)
                self._on_speech_end()

    def _on_speech_end(self) -> None:
        self._speech_ended_at = time.monotonic() - SPEECH_STOP_MS / 1000
        self._camera.look_now()
        self._after(SPEECH_END_PICTURE_S, self._tell_picture_age, "picture-age")
        if self._state == "listening":
            self._set_state("thinking")

    def _on_frame(self, frame: Frame) -> None:
        self._intake.picture(frame.jpeg)
        self._newest_frame = frame
        self._channel.server_message(
            {
                "kind": "frame",
                "bytes": len(frame.jpeg),
                "width": frame.width,
                "height": frame.height,
                "age_ms": round(1000 * (time.monotonic() - frame.captured_at)),
            }
        )
        self._count()
        if self._speech_ended_at is not None and frame.captured_at >= self._speech_ended_at:
            self._tell_picture_age()

    def _tell_picture_age(self) -> None:
        """How much older than the end of the caller's speech the model's newest picture is.

        Zero if the picture was taken after the speech had ended.
        """
        ended_at, self._speech_ended_at = self._speech_ended_at, None
        if ended_at is None or self._newest_frame is None:
            return
        age_ms = max(0, round(1000 * (ended_at - self._newest_frame.captured_at)))
        self._channel.server_message({"kind": "frame_at_speech_end", "age_ms": age_ms})

    # The model's side

    async def _converse(self) -> None:
        session = self._host.new_session(
            self.call_id, self._intake, options=self._options, on_connected=self._on_model_connected
        )
        self._metrics.model_sessions.inc()
        try:
            async with aclosing(session.events()) as events:
                async for event in events:
                    self._on_event(event)
        except LiveFailure as failure:
            self._channel.error(str(failure), fatal=True)
            # A refusal comes faster than the caller's client is ready to show it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLIENT_READY_TIMEOUT_S):
                    await self._client_ready.wait()
            self._end(str(failure))
        else:
            self._end("the model ended the conversation")
        finally:
            self._metrics.model_sessions.dec()

    def _on_model_connected(self) -> None:
        if self._state in ("connecting", "reconnecting"):
            self._set_state("listening")

    def _on_event(self, event: LiveEvent) -> None:
        match event:
            case Voice(pcm):
                self._open_answer()
                self._speaker.write(pcm)
            case AgentTranscript(text, final=False):
                self._open_answer()
                self._answer += text
                self._channel.bot_text(text)
            case AgentTranscript(text, final=True):
                self._answer = ""
                self._channel.bot_transcript(text)
            case UserTranscript(text, final):
                self._channel.user_transcript(text, final)
            case Interrupted():
                self._metrics.interruptions.inc()
                self._speaker.flush()
                self._channel.server_message({"kind": "interrupted"})
                self._close_answer()
            case TurnComplete():
                self._speaker.end_of_turn()
                self._close_answer()
                self._channel.server_message({"kind": "turn_complete"})
            case ToolCall(call_id, name, arguments):
                self._channel.tool_started(call_id, name, dict(arguments))
            case ToolResult(call_id, name, result):
                self._channel.tool_stopped(call_id, name, dict(result))
            case Usage(prompt, response):
                self._metrics.tokens.labels("in").inc(prompt)
                self._metrics.tokens.labels("out").inc(response)

    def _open_answer(self) -> None:
        if not self._answering:
            self._answering = True
            self._channel.bot_thinking(True)

    def _close_answer(self) -> None:
        if self._answering:
            self._answering = False
            self._channel.bot_thinking(False)
        if self._answer:
            self._channel.bot_transcript(self._answer)
            self._answer = ""
        if self._state == "thinking" or (self._state == "speaking" and not self._speaker.queued_ms):
            self._set_state("listening")

    def _on_agent_speaking(self, speaking: bool) -> None:
        self._channel.bot_speaking(speaking)
        if speaking:
            self._set_state("speaking")
        elif self._state == "speaking":
            self._set_state("thinking" if self._answering else "listening")

    # Housekeeping

    def _new_peer(self) -> None:
        """A peer, and what belongs to one peer's tracks: they end with it."""
        self._speaker = Speaker(on_speaking=self._on_agent_speaking)
        self._microphone = Microphone(self._on_audio)
        self._camera = Camera(
            self._on_frame,
            rate_hz=self._settings.frame_rate_hz,
            max_px=self._settings.frame_max_px,
            max_bytes=self._settings.frame_max_bytes,
        )
        self._peer = Peer(
            self,
            self._speaker,
            ice_servers=self._settings.rtc_ice_servers(),
            connect_timeout_s=self._settings.connect_timeout_s,
            vanished_after_s=self._settings.vanished_after_s,
        )

    def _set_state(self, state: State, reason: str | None = None) -> None:
        if state == self._state or self._state == "ended":
            return
        self._state = state
        self._channel.server_message({"kind": "state", "state": state, "reason": reason})
        if state == "thinking":
            self._after(THINKING_LIMIT_S, self._stop_thinking, "thinking")

    def _stop_thinking(self) -> None:
        if self._state == "thinking" and not self._answering:
            self._set_state("listening")

    def _after(self, delay_s: float, action: Callable[[], None], name: str) -> None:
        """Call `action` later, once; a newer timer of the same name replaces an older one."""
        if timer := self._timers.pop(name, None):
            timer.cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(delay_s, action)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(self._watched(work, name), name=f"{name}-{self.call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:
            # A bug of ours: the call can't go on, and the caller is told so.
            logger.exception("call %s: %s failed", self.call_id, name)
            self._channel.error("Something went wrong on the server.", fatal=True)
            self._end(f"{name} failed on the server")

    def _end(self, reason: str) -> None:
        """`close`, from where one can't wait."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason), name=f"close-{self.call_id}")

    async def _close(self, reason: str) -> None:
        self._set_state("ended", reason)
        self._intake.close()
        for timer in self._timers.values():
            timer.cancel()
        self._channel.close()
        await self._channel.drain()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._peer.close(reason)
        self._count()
        self._metrics.calls_ended.inc()
        self._tell_closed(self)

    def _count(self) -> None:
        c = self._intake.counters
        now = (c.pictures, c.pictures_replaced, c.audio_ms, c.audio_dropped_ms)
        counters = (
            self._metrics.pictures,
            self._metrics.pictures_replaced,
            self._metrics.audio_ms,
            self._metrics.audio_dropped_ms,
        )
        for counter, new, old in zip(counters, now, self._counted, strict=True):
            counter.inc(new - old)
        self._counted = now
