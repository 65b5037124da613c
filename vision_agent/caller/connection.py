"""The caller's connection to a server, made again when the network is lost or has changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiortc import MediaStreamTrack

from vision_agent.caller import rtvi
from vision_agent.caller.aiortc_patches import own_addresses
from vision_agent.caller.connection_watch import RETRY_DELAYS_S, ConnectionWatch
from vision_agent.caller.failure import CallFailed, CallRefused
from vision_agent.caller.peer import CallerPeer, OnAudio, OnMessage
from vision_agent.caller.relay_choice import with_one_relay
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.typed_lines import TypedLine, TypedLines

logger = logging.getLogger(__name__)

_WATCH_EVERY_S = 0.2
_CONNECT_S = 8.0
_REQUEST_S = 5.0
_GONE = 404
_MAX_UNSENT = 20
_TOLD_S = 3.0
"""How long a new call waits for what the conversation has."""


class Connection:
    """One peer connection after the other, all of one call.

    aiortc can't restart ICE, so a lost connection is replaced by a new one under the same call
    (`restart_pc`). If the server has given the call up meanwhile, or ends it and asks its client to
    come back, a new call continues its conversation.

    Args:
        signalling: The server.
        microphone: What the caller says.
        camera: What the caller shows; None for a call without video.
        on_message: Receives the channel's messages.
        on_audio: Receives the agent's voice; see `CallerPeer`.
        on_state: Called with "reconnecting".
        now_ms: The call's clock.
        is_played: Somebody listens; see `CallerPeer`.
        screen: A screen that the caller shares; see `CallerPeer`.

    Attributes:
        pc_id: The call's id; None before the server's answer.
        connected_ms: When media could flow for the first time; None before that.
    """

    def __init__(
        self,
        signalling: Signalling,
        microphone: MediaStreamTrack,
        camera: MediaStreamTrack | None,
        *,
        on_message: OnMessage,
        on_audio: OnAudio,
        on_state: Callable[[str], None],
        now_ms: Callable[[], int],
        is_played: bool,
        screen: MediaStreamTrack | None = None,
    ) -> None:
        self._screen = screen
        self._signalling = signalling
        self._microphone, self._camera = microphone, camera
        self._on_message, self._on_audio, self._on_state = on_message, on_audio, on_state
        self._now_ms, self._is_played = now_ms, is_played
        self.pc_id: str | None = None
        self._resume: str | None = None
        self._asked: Mapping[str, Any] = {}
        self._peer: CallerPeer | None = None
        self._first_connected_ms: int | None = None
        self._watching: asyncio.Task[None] | None = None
        self._reconnecting = False
        self._unsent: list[str] = []
        self._typed = TypedLines()
        self._said: list[str] = []
        self._told = asyncio.Event()
        self._off: frozenset[rtvi.Track] = frozenset()
        self._lost: str | None = None
        self._come_back: str | None = None
        if screen is not None:
            screen.on("ended", lambda: self.tell_switched("screen", False))

    @property
    def connected_ms(self) -> int | None:
        """When media could flow for the first time (ICE and DTLS done); None before that."""
        if self._first_connected_ms is None and self._peer is not None:
            self._first_connected_ms = self._peer.connected_ms
        return self._first_connected_ms

    @property
    def lost(self) -> str | None:
        """Why the connection is gone for good; None while it stands, or is made again."""
        if self._lost is not None or self._peer is None or self._reconnecting:
            return self._lost
        if self._watching is not None and not self._watching.done():
            return None  # the watch is about to notice it, and to make another one
        return self._peer.lost

    async def dial(self, asked: Mapping[str, Any]) -> None:
        """Make the call; the connection comes up in the background.

        Args:
            asked: Options of this call.

        Raises:
            CallRefused: The server can't be reached or does not take the call.
            CallFailed: There is no usable offer or answer.
        """
        self._asked = asked
        self._peer = await self._new_peer(self._signalling)
        await self._offer(self._signalling, self._peer, restart=None)

    def watch(self) -> None:
        """Begin to watch the connection, which is up."""
        self._watching = asyncio.create_task(self._watch(), name="caller-watch")
        self._watching.add_done_callback(self._watch_ended)

    def type(self, text: str) -> str | None:
        """Send a typed line, at once or when the connection has been made again.

        Returns:
            The line's id, which the server's refusal carries; None if it has to wait.

        Raises:
            CallFailed: There is no connection, or the server takes no line of that length.
        """
        if self._peer is None:
            raise CallFailed("The call has not been dialled yet.")
        ended = self._come_back is not None
        waits = ended or self._reconnecting or (self._peer.lost is not None and self.lost is None)
        if waits and len(self._unsent) < _MAX_UNSENT:
            self._unsent.append(text)
            return None
        line = TypedLine(uuid.uuid4().hex, text, time.monotonic())
        self._peer.type(line)
        self._typed.sent(line)
        return line.message_id

    def tell_switched(self, what: rtvi.Track, on: bool) -> None:
        """Tell the server that the microphone, the camera or the screen was switched on or off."""
        self._off = self._off - {what} if on else self._off | {what}
        if self._peer is not None and not self._reconnecting:
            self._peer.tell_switched(what, on)

    def send(self, message: str) -> None:
        """Send a message of the data channel, unless the connection is being made again.

        Raises:
            CallFailed: There is no connection, or the server takes no message of that length.
        """
        if self._peer is None:
            raise CallFailed("The call has not been dialled yet.")
        if not self._reconnecting:
            self._peer.send(message)

    async def close(self, *, goodbye: bool) -> str | None:
        """Release everything, with a goodbye if one is due.

        Returns:
            Why the server did not take the goodbye; None if it did, or none was due.
        """
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        refused = None
        if goodbye and self.pc_id is not None:
            try:
                await self._signalling.goodbye(self.pc_id)
            except CallRefused as error:
                refused = str(error)
        if self._peer is not None:
            await self._peer.close()
        return refused

    async def _new_peer(self, signalling: Signalling) -> CallerPeer:
        return CallerPeer(
            self._microphone,
            self._camera,
            self._take_message,
            self._on_audio,
            self._now_ms,
            # Asked for each connection: credentials for a TURN server expire.
            ice_servers=await with_one_relay(await signalling.ice_servers()),
            is_played=self._is_played,
            on_open=self._tell_again,
            screen=self._screen,
        )

    async def _offer(self, signalling: Signalling, peer: CallerPeer, restart: str | None) -> bool:
        asked = dict(self._asked)
        if self._resume is not None and restart is None:
            asked["resume"] = self._resume
        answer = await signalling.offer(await peer.offer(), asked, restart)
        self.pc_id = answer.pc_id
        self._resume = answer.resume or self._resume
        await peer.accept(answer.sdp)
        return answer.resumed

    def _take_message(self, message: str | bytes, at_ms: int) -> None:
        """Pass a message on, unless it says that the call is over and continues in another one."""
        parsed = rtvi.parse(message) or {}
        data = parsed.get("data")
        if self._resume and isinstance(data, dict) and data.get("state") == "ended":
            self._come_back = str(data.get("reason")) if data.get("come_back") else None
        if isinstance(data, dict) and data.get("kind") == "resumed":
            lines = [line for line in data.get("earlier", ()) if isinstance(line, dict)]
            self._said = [str(line.get("text")) for line in lines if line.get("who") == "user"]
            self._told.set()
        if parsed.get("type") == "bot-llm-started":
            self._typed.answered()
        if self._come_back is None:
            self._on_message(message, at_ms)

    def _tell_again(self) -> None:
        """Tell a new connection what the old one was told."""
        if self._peer is None:
            return
        for what in self._off:
            self._peer.tell_switched(what, False)

    def _watch_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            logger.error("Watching the connection failed.", exc_info=error)
            self._lost = f"the connection could not be watched: {error}"

    async def _watch(self) -> None:
        while self._peer is not None and (self._peer.lost is None or self._come_back):
            watch = ConnectionWatch(time.monotonic(), own_addresses())
            why: str | None = None
            asking: asyncio.Task[bool] | None = None
            while why is None and self._peer.lost is None and self._come_back is None:
                await asyncio.sleep(_WATCH_EVERY_S)
                packets = await self._peer.packets()
                why = watch.judge(time.monotonic(), packets, own_addresses)
                if self.pc_id is not None and watch.is_to_ask(time.monotonic()):
                    asking = asyncio.create_task(
                        self._signalling.within(_REQUEST_S).has_call(self.pc_id)
                    )
                if asking is not None and asking.done() and not asking.result():
                    why = "the server no longer has the call"
                    self.pc_id = self.pc_id if self._resume is None else None
            if asking is not None:
                asking.cancel()
            if self._come_back is not None:
                why, self.pc_id = self._come_back, None
            elif why is None and self._peer.cut_off:
                why = "its path is gone"
            if why is not None:
                await self._reconnect(why)

    async def _reconnect(self, why: str) -> None:
        logger.info("The connection is made again: %s.", why)
        lost_s = time.monotonic()
        self._reconnecting = True
        self._on_state("reconnecting")
        last = why
        for delay_s in RETRY_DELAYS_S:
            await self._pause(delay_s)
            call = self.pc_id
            try:
                resumed = await self._attempt()
            except CallFailed as error:
                last = str(error)
                continue
            except CallRefused as error:
                last = str(error)
                if error.status == _GONE and self._resume is not None:
                    self.pc_id = None
                    continue
                if error.status is not None and error.status < 500 and error.status != 409:
                    break
                continue
            await self._type_again(lost_s, same_call=call is not None, resumed=resumed)
            self._reconnecting = False
            while self._unsent:
                self.type(self._unsent.pop(0))
            return
        self._lost = f"the connection was lost ({why}) and could not be made again: {last}"

    async def _type_again(self, lost_s: float, *, same_call: bool, resumed: bool) -> None:
        """Send what was typed shortly before the loss; the same call takes each line once."""
        assert self._peer is not None
        lines = self._typed.unsure(lost_s)
        if lines and not same_call and not resumed:
            lines = self._typed.unanswered(lost_s)
        elif lines and not same_call:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TOLD_S):
                    await self._told.wait()
            told = self._told.is_set()
            lines = self._typed.missing(self._said, lost_s) if told else []
        for line in lines:
            with contextlib.suppress(CallFailed):  # lost again, which the watch notices
                self._peer.type(line)

    async def _pause(self, seconds: float) -> None:
        """Wait, or until this machine has other addresses."""
        addresses = own_addresses()
        for _ in range(round(seconds / _WATCH_EVERY_S)):
            await asyncio.sleep(_WATCH_EVERY_S)
            if own_addresses() != addresses:
                return

    async def _attempt(self) -> bool:
        old = self._peer
        assert old is not None
        quick = self._signalling.within(_REQUEST_S)
        peer = await self._new_peer(quick)
        old.detach()
        self._peer, self._come_back = peer, None
        self._told.clear()
        try:
            resumed = await self._offer(quick, peer, restart=self.pc_id)
            deadline_s = time.monotonic() + _CONNECT_S
            while not peer.is_open:
                if peer.lost is not None or time.monotonic() > deadline_s:
                    raise CallFailed(peer.lost or "It was not made in time.")
                await asyncio.sleep(0.02)
            return resumed
        finally:
            # Not earlier: a server takes the end of a call's only connection for a goodbye.
            await old.close()
