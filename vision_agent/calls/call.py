"""One call from offer to goodbye: joins the peer's half and the model's half."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import MediaStreamTrack, RTCDataChannel

from vision_agent import call_scope
from vision_agent.agents.host import HostedAgent
from vision_agent.calls.agent_output import AgentOutput
from vision_agent.calls.caller_input import CallerInput
from vision_agent.calls.limits import CallLimits, EndsNow, EndsSoon, GoesOn
from vision_agent.calls.metrics import Metrics, Tally
from vision_agent.calls.options import CallSettings
from vision_agent.calls.state import CallStatus, State
from vision_agent.calls.tool_context import CallToolContext
from vision_agent.closing import Closing
from vision_agent.live.call_options import CallOptions
from vision_agent.live.errors import LiveFailure, cause_of
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.sessions.history import newest
from vision_agent.live.sessions.store import SessionLease
from vision_agent.rtc import Channel, Network, Offer, Peer, PeerClosed, rtvi
from vision_agent.rtc.aiortc_patches import has_arrived

logger = logging.getLogger(__name__)

CLIENT_READY_TIMEOUT_S = 5.0
"""How long a call that has failed is kept open for a client that can't show why yet."""

LIMITS_CHECK_S = 1.0

MESSAGE_FRAME_BYTES = 200
"""What the lines of a message have around them."""

UNSEEN_SCREEN = "The agent does not see the shared screen: it looks at the camera alone."

MAX_TEXTS_WAITING = 20
"""Texts that the model has not been sent yet: while it is away, or has to see a picture first."""


class CallOver(RuntimeError):
    """The call is ending: it can't be taken up again, but its conversation can."""


class Superseded(RuntimeError):
    """A restart that a newer one has overtaken."""


class Call:
    """One call.

    It listens to its peer (`PeerListener`) and to its channel (`ChannelListener`). What the caller
    says and shows goes through its `CallerInput`, what the agent does through its `AgentOutput`.
    Every task it starts it also awaits, in `close`.

    Args:
        call_id: Also the `pc_id` of the signalling.
        host: The agent.
        settings: What holds for every call.
        metrics: The server's counters.
        options: How the agent answers in this call.
        lease: The ADK session that the call runs on, new or resumed.
        network: Where media is received; None for all of this machine's addresses.
        on_closed: Called once, when nothing of the call is left.
    """

    def __init__(
        self,
        call_id: str,
        host: HostedAgent,
        settings: CallSettings,
        metrics: Metrics,
        *,
        options: CallOptions,
        lease: SessionLease,
        network: Network | None = None,
        on_closed: Callable[[Call], None],
    ) -> None:
        self.call_id = call_id
        self.lease = lease
        self._host = host
        self._settings = settings
        self._metrics = metrics
        self._options = options
        self._network = network
        self._tell_closed = on_closed

        self._live_queue = LiveQueue()
        self._channel = Channel(self, {"library": "vision_agent", "version": host.version})
        self._status = CallStatus(self._on_state)
        self._memory_recorder = host.memory_recorder(lease, call_id)
        self._output = AgentOutput(
            self._channel,
            self._status,
            metrics,
            settings.output,
            speaks=options.modality == "AUDIO",
            overhear=self._memory_recorder.hear,
        )
        self._input = CallerInput(
            self._live_queue,
            self._channel,
            self._status,
            settings.frames,
            metrics,
            on_sound=self._output.caller_sounds,
        )
        self._in_call = CallToolContext(self._live_queue, self._channel, self._status, self._input)
        self._peer = self._new_peer()

        self._tally = Tally()
        self._screen: MediaStreamTrack | None = None
        self._screen_told = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._client_ready = asyncio.Event()
        self._untold: list[str] = []
        self._hung_up = False
        self._newest_restart = 0
        self._retired: Peer | None = None
        self._restarting = asyncio.Lock()
        self._live_started = False
        self._come_back = False
        self._ended_because = ""
        self._limits = CallLimits(
            time.monotonic(),
            max_call_s=settings.limits.max_call_s,
            idle_s=settings.limits.idle_s,
            warn_s=settings.limits.warn_s,
        )

    @property
    def connected(self) -> bool:
        """Whether the peer has ever been connected."""
        return self._live_started

    # Signalling

    async def answer(self, offer: Offer) -> str:
        """Accept the offer; the answer's SDP.

        Raises:
            CallOver: The call was ended meanwhile.
        """
        try:
            answer = await self._peer.accept(offer)
        except PeerClosed as closed:
            reason = self._ended_because or str(closed)
            raise CallOver(f"The call ended while it was being set up: {reason}.") from closed
        if self._closing is not None:
            raise CallOver(f"The call ended while it was being set up: {self._ended_because}.")
        return answer

    async def restart(self, offer: Offer, network: Network | None = None) -> str:
        """A new peer connection under the same conversation: the caller's network changed.

        Raises:
            CallOver: It is ending.
            Superseded: A newer restart has come meanwhile.
        """
        self._newest_restart += 1
        number = self._newest_restart
        async with self._restarting:
            self._check_newest(number)
            await self._retire_peer()
            self._check_newest(number)
            self._input.renew()
            self._output.renew()
            self._network = network
            self._peer = self._new_peer()
            try:
                answer = await self.answer(offer)
            except BaseException:
                self.end("the new connection failed")
                raise
            self._check_newest(number)
            return answer

    def _check_newest(self, number: int) -> None:
        if self._closing is not None:
            raise CallOver("The call is over.")
        if number != self._newest_restart:
            raise Superseded("A newer connection has taken this call over.")

    async def _retire_peer(self) -> None:
        """Lets the present connection go; its caller is told, even if it has yet to connect."""
        retired, self._retired = self._retired, self._peer
        self._peer.retire("replaced by a new connection")
        if retired is not None:
            await retired.close("replaced by a new connection")

    async def renegotiate(self, offer: Offer) -> str:
        """A further offer on the same peer connection: tracks come and go.

        Raises:
            CallOver: It is ending.
            CannotRenegotiate: The connection can't go on with this offer; nothing has changed.
        """
        async with self._restarting:
            try:
                return await self._peer.renegotiate(offer)
            except PeerClosed as closed:
                raise CallOver("The call is over.") from closed

    def continues(self, offer: Offer) -> bool:
        """Whether an offer comes from the peer connection that the call is on."""
        return self._peer.continues(offer)

    async def add_candidates(self, candidates: list[dict[str, Any]]) -> None:
        """Trickled ICE candidates from the caller."""
        await self._peer.add_candidates(candidates)

    async def close(self, reason: str, *, come_back: bool = False) -> None:
        """End the call and wait until nothing of it is left; idempotent.

        Args:
            reason: For the caller; a sentence without its full stop.
            come_back: Whether the caller's client should call again by itself, and continue.
        """
        self.end(reason, come_back=come_back)
        assert self._closing is not None
        await asyncio.shield(self._closing)

    def notice(self, about: str, left_s: float, text: str) -> None:
        """Tell the caller that the call ends soon, and why."""
        self._channel.server_message(
            {"kind": "notice", "about": about, "left_s": round(left_s), "text": text}
        )

    async def hang_up(self) -> None:
        """The caller hangs up: `close`, and what the agent has not said is not wanted any more."""
        self.on_goodbye()
        await self.close("the caller hung up")

    def tell(self, text: str) -> None:
        """Tell the caller, as soon as their client can show it, that something does not work."""
        if self._client_ready.is_set():
            self._channel.error(text, fatal=False)
        else:
            self._untold.append(text)

    # PeerListener

    def on_connected(self) -> None:
        """The peer is there: start the model's side, once."""
        if not self._live_started and self._closing is None:
            self._live_started = True
            self._start(self._converse(), "live")
            self._start(self._watch_limits(), "limits")
            self._start(self._memory_recorder.run(), "memory")

    def on_microphone(self, track: MediaStreamTrack) -> None:
        """Listen to the caller."""
        self._start(self._input.microphone.run(track), "microphone")

    def on_camera(self, track: MediaStreamTrack) -> None:
        """Watch the caller's camera."""
        self._start(self._input.watch(track), "camera")

    def on_screen(self, track: MediaStreamTrack) -> None:
        """A shared screen is not watched: the caller is told when pictures of one arrive."""
        if not self._screen_told:
            self._screen = track

    def on_channel(self, channel: RTCDataChannel) -> None:
        """The caller opened the data channel."""
        self._channel.attach(channel)

    def on_closed(self, reason: str) -> None:
        """The peer is gone, and with it the call."""
        self._channel.gone()
        self.end(reason)

    # ChannelListener

    def on_client_ready(self) -> None:
        """The caller's client can show things now: tell it where we are."""
        self._client_ready.set()
        if self.lease.resumed:
            lines = newest(
                self.lease.earlier, self._channel.max_message_bytes - MESSAGE_FRAME_BYTES
            )
            self._channel.server_message({"kind": "resumed", "earlier": lines})
        self._tell_state(self._status.state, None)
        for text in self._untold:
            self._channel.error(text, fatal=False)
        self._untold.clear()

    def on_text(self, text: str, *, spoken: bool) -> None:
        """The caller typed."""
        self._check_texts_waiting()
        self._output.answer_next_in_words(not spoken)
        self._input.typed(text)
        self._memory_recorder.typed(text)

    def on_context(self, text: str, *, agents: bool) -> None:
        """The caller's client tells the agent something that wants no answer."""
        self._check_texts_waiting()
        self._live_queue.context(text, "model" if agents else "user")

    def _check_texts_waiting(self) -> None:
        if self._input.texts_waiting >= MAX_TEXTS_WAITING:
            raise rtvi.BadMessage(
                f"The agent has not read the last {MAX_TEXTS_WAITING} texts yet: this one was not "
                "taken. Send it again in a moment."
            )

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        """The caller switched the microphone or the camera on or off."""
        if receiver_index == rtvi.MICROPHONE:
            self._input.mute(not enabled)
        elif receiver_index == rtvi.CAMERA:
            self._input.switch_camera(enabled)

    def on_client_message(self, type: str, data: object) -> object | None:
        """The page's own messages."""
        if type != "camera_size":
            raise rtvi.BadMessage(f"There is no client message of the type {type!r} here.")
        self._in_call.camera_size(data)
        return None

    def on_goodbye(self) -> None:
        """The caller hung up."""
        self._hung_up = True
        self.end("the caller hung up")

    # The model's side

    async def _converse(self) -> None:
        # Tools run in tasks that ADK starts from here, and inherit this.
        call_scope.enter(self.call_id, self._in_call)
        session = self._host.new_session(
            self.lease,
            self._live_queue,
            options=self._options,
            observer=self._output,
            played=self._output.played,
            given_up=lambda: self._hung_up,
            on_missing_tools=self._on_missing_tools,
        )
        try:
            await self._output.run(session)
        except LiveFailure as failure:
            self._metrics.model_failures.labels(failure.kind).inc()
            self._channel.error(str(failure), fatal=True)
            # A refusal comes faster than the caller's client is ready to show it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLIENT_READY_TIMEOUT_S):
                    await self._client_ready.wait()
            self.end(str(failure).removesuffix("."))
        else:
            self.end("the model ended the conversation")

    def _on_missing_tools(self, text: str) -> None:
        self._metrics.model_failures.labels("toolset").inc()
        self.tell(text)

    async def _watch_limits(self) -> None:
        while True:
            await asyncio.sleep(LIMITS_CHECK_S)
            self._count()
            self._tell_unseen_screen()
            for verdict in self._limits.check(time.monotonic()):
                match verdict:
                    case EndsSoon(about, left_s, text):
                        self.notice(about, left_s, text)
                    case GoesOn(about):
                        self._channel.server_message({"kind": "notice_over", "about": about})
                    case EndsNow(reason):
                        self.end(reason)
                        return

    def _tell_unseen_screen(self) -> None:
        """Once: a client offers a section for its screen whether it shares one or not."""
        if self._screen is not None and has_arrived(self._screen):
            self._screen, self._screen_told = None, True
            self._channel.error(UNSEEN_SCREEN, fatal=False)

    # Housekeeping

    def _new_peer(self) -> Peer:
        return Peer(
            self,
            self._output.speaker,
            ice_servers=self._settings.peer.ice_servers,
            network=self._network,
            connect_timeout_s=self._settings.peer.connect_timeout_s,
            vanished_after_s=self._settings.peer.vanished_after_s,
        )

    def _on_state(self, state: State, reason: str | None) -> None:
        # Whatever is said, by either side, makes the call leave "listening" for a while.
        if state == "listening":
            self._limits.quiet(time.monotonic())
        else:
            self._limits.busy()
        self._tell_state(state, reason)

    def _tell_state(self, state: State, reason: str | None) -> None:
        message: dict[str, object] = {"kind": "state", "state": state, "reason": reason}
        if state == "ended":
            message["come_back"] = self._come_back
        self._channel.server_message(message)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._closing is not None:
            work.close()  # nobody would end it any more
            return
        task = asyncio.create_task(self._watched(work, name), name=f"{name}-{self.call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:
            # A bug of ours: the call can't go on, and the caller is told so. What was said may
            # stand in the exception's text.
            logger.error("call %s: %s failed: %s", self.call_id, name, cause_of(error))
            self._channel.error("Something went wrong on the server.", fatal=True)
            self.end(f"{name} failed on the server")

    def end(self, reason: str, *, come_back: bool = False) -> None:
        """`close`, from where one can't wait."""
        if self._closing is None:
            self._come_back, self._ended_because = come_back, reason
            self._closing = asyncio.create_task(self._close(reason), name=f"close-{self.call_id}")

    async def _close(self, reason: str) -> None:
        closing = Closing(f"call {self.call_id}")
        try:
            closing.do("the last state", lambda: self._status.set("ended", reason))
            closing.do("the model's queue", self._live_queue.close)
            closing.do("the channel", self._channel.close)
            await closing.wait("the channel", self._channel.drain())
            await closing.wait("the tools' jobs", self._in_call.close())
            await closing.wait("the tasks", self._cancel_tasks())
            await closing.wait("the peer", self._peer.close(reason))
            if self._retired is not None:
                await closing.wait("the peer before", self._retired.close(reason))
            closing.do("the media", self._input.close)
            closing.do("the conversation", lambda: self._host.store.end(self.lease))
            await closing.wait("the memory", self._memory_recorder.flush())
        finally:
            closing.do("the counters", self._count)
            self._metrics.calls_ended.inc()
            closing.do("the slot", lambda: self._tell_closed(self))

    async def _cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _count(self) -> None:
        """Adds what happened since the last time to the server's counters."""
        self._input.count()
        self._tally.add(self._metrics.memory_failures, self._memory_recorder.failures)
        messages = self._metrics.messages
        self._tally.add(messages.labels("refused"), self._channel.refused_messages)
        self._tally.add(messages.labels("lost"), self._channel.dropped_messages)
