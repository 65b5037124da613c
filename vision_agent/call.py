"""One call from offer to goodbye: joins the peer's half and the model's half."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import MediaStreamTrack, RTCDataChannel

from vision_agent.agent_host import AgentHost
from vision_agent.call_status import CallStatus, State
from vision_agent.caller_media import CallerMedia
from vision_agent.conversation import Conversation
from vision_agent.live.failure import LiveFailure
from vision_agent.live.intake import Intake
from vision_agent.metrics import Metrics
from vision_agent.rtc import Channel, Peer
from vision_agent.settings import Settings

logger = logging.getLogger(__name__)

CLIENT_READY_TIMEOUT_S = 5.0
"""How long a call that has failed is kept open for a client that can't show why yet."""


class Call:
    """One call.

    It listens to its peer (`PeerListener`) and to its channel (`ChannelListener`). What the caller
    says and shows goes through its `CallerMedia`, what the agent does through its `Conversation`.
    Every task it starts it also awaits, in `close`.

    Args:
        call_id: Also the `pc_id` of the signalling.
        host: The agent.
        settings: The server's options.
        metrics: The server's counters.
        voice: The voice for this call; None for the server's.
        on_closed: Called once, when nothing of the call is left.
    """

    def __init__(
        self,
        call_id: str,
        host: AgentHost,
        settings: Settings,
        metrics: Metrics,
        *,
        voice: str | None,
        on_closed: Callable[[Call], None],
    ) -> None:
        self.call_id = call_id
        self._host = host
        self._settings = settings
        self._metrics = metrics
        self._voice = voice
        self._tell_closed = on_closed

        self._intake = Intake()
        self._channel = Channel(self, {"library": "vision_agent", "version": host.version})
        self._status = CallStatus(self._tell_state)
        self._media = CallerMedia(self._intake, self._channel, self._status, settings, metrics)
        self._conversation = Conversation(self._channel, self._status, metrics)
        self._peer = self._new_peer()

        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._client_ready = asyncio.Event()
        self._replacing_peer = False
        self._live_started = False

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
        self._media.renew()
        self._conversation.renew()
        self._peer = self._new_peer()
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
        self._start(self._media.microphone.run(track), "microphone")

    def on_camera(self, track: MediaStreamTrack) -> None:
        """Watch the caller's camera."""
        self._start(self._media.camera.run(track), "camera")

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
        self._tell_state(self._status.state, None)

    def on_text(self, text: str) -> None:
        """The caller typed."""
        self._media.typed(text)

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        """The caller muted or unmuted."""
        if receiver_index == 0:
            self._media.mute(not enabled)

    def on_client_message(self, type: str, data: object) -> object | None:
        """No messages of our own yet."""
        return None

    def on_goodbye(self) -> None:
        """The caller hung up."""
        self._end("the caller hung up")

    # The model's side

    async def _converse(self) -> None:
        session = self._host.new_session(
            self.call_id, self._intake, voice=self._voice, listener=self._conversation
        )
        try:
            await self._conversation.run(session)
        except LiveFailure as failure:
            self._channel.error(str(failure), fatal=True)
            # A refusal comes faster than the caller's client is ready to show it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLIENT_READY_TIMEOUT_S):
                    await self._client_ready.wait()
            self._end(str(failure))
        else:
            self._end("the model ended the conversation")

    # Housekeeping

    def _new_peer(self) -> Peer:
        return Peer(
            self,
            self._conversation.speaker,
            ice_servers=self._settings.rtc_ice_servers(),
            connect_timeout_s=self._settings.connect_timeout_s,
            vanished_after_s=self._settings.vanished_after_s,
        )

    def _tell_state(self, state: State, reason: str | None) -> None:
        self._channel.server_message({"kind": "state", "state": state, "reason": reason})

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
        self._status.set("ended", reason)
        self._intake.close()
        self._channel.close()
        await self._channel.drain()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._peer.close(reason)
        self._media.close()
        self._metrics.calls_ended.inc()
        self._tell_closed(self)
