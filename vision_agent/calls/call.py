"""One call from offer to goodbye: joins the peer's side and the model's side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from vision_agent import call_scope
from vision_agent.agents.host import HostedAgent
from vision_agent.calls.agent_output import AgentOutput
from vision_agent.calls.allowance import Allowance
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_input import CallerInput
from vision_agent.calls.caller_view import THINKING_LIMIT_S, CallerView
from vision_agent.calls.connections import PeerConnections, new_peer
from vision_agent.calls.ending import Ending
from vision_agent.calls.event_reporter import EventReporter
from vision_agent.calls.limit_watch import watch_limits
from vision_agent.calls.limits import CallLimits
from vision_agent.calls.metrics import Metrics, Tally
from vision_agent.calls.options import CallSettings
from vision_agent.calls.recording_control import RecordingControl
from vision_agent.calls.sent_pictures import SentPictures
from vision_agent.calls.server_messages import NoticeMessage, State
from vision_agent.calls.tasks import CallTasks
from vision_agent.calls.tool_context import CallToolContext
from vision_agent.calls.typed_turns import MAX_WAITING
from vision_agent.calls.unseen_screen import UnseenScreen
from vision_agent.calls.unused_media import UnusedMedia
from vision_agent.calls.usage import CallUsage
from vision_agent.closing import Closing
from vision_agent.live.call_options import CallOptions
from vision_agent.live.errors import LiveFailure
from vision_agent.live.events import LiveEvent, UserTranscript
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.sessions.played_history import Rest
from vision_agent.live.sessions.store import SessionLease
from vision_agent.rtc import Channel, Network, Offer, rtvi
from vision_agent.rtc.own.aiortc import MediaStreamTrack, RTCDataChannel

CLIENT_READY_TIMEOUT_S = 5.0
"""How long a call that has failed is kept open for a client that can't show why yet."""


class Call:
    """One call.

    It listens to its peer (`PeerListener`) and to its data channel (`ChannelListener`). What the
    caller says and shows goes to the model through its `CallerInput`; what the agent does goes to
    the caller through its `AgentOutput`. Every task it starts it also awaits, in `close`.

    Args:
        call_id: Also the `pc_id` of the signalling.
        host: The agent.
        settings: What holds for every call.
        metrics: The server's counters.
        options: How the agent answers in this call.
        lease: The ADK session that the call runs on, new or resumed.
        allowance: What its caller may use today.
        trace: Of this call.
        events: Reports on this call.
        recording: Whether it is recorded.
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
        allowance: Allowance,
        trace: CallTrace,
        events: EventReporter,
        recording: RecordingControl,
        on_closed: Callable[[Call], None],
    ) -> None:
        self.call_id, self.lease, self.recording = call_id, lease, recording
        self._metrics, self._trace = metrics, trace
        self._events, self._tell_closed = events, on_closed
        self._rest: Rest = "open"
        self._live_queue = LiveQueue()
        about: dict[str, object] = {"library": "vision_agent", "version": host.version}
        about |= {"voice_activity_detection": options.detects_turns}
        channel = Channel(self, about, recording)
        thinks_for_s = max(THINKING_LIMIT_S, host.model_choice.thinks_for_s)
        self._view = CallerView(channel, self._on_state, thinks_for_s, events)
        recording.show = self._view.show_recording
        self._memory_recorder = host.memory_recorder(lease, call_id, events.said)
        self._usage = CallUsage(metrics, settings.prices, host.model_choice, allowance.charge)
        self._output = AgentOutput(
            self._view,
            metrics,
            trace,
            settings.output if options.interruptible else settings.output.without_barge_in(),
            speaks=options.modality == "AUDIO",
            overhear=self._overhear,
        )
        self._input = CallerInput(
            self._live_queue,
            self._view,
            settings.videos,
            metrics,
            trace,
            on_sound=self._output.caller_sounds,
            signals_turns=not options.detects_turns,
            lines=events.lines,
        )
        self._pictures = SentPictures(self._input.show_picture)
        self._tool_context = CallToolContext(self._view, self._input)
        self._new_session = partial(
            host.new_session,
            lease,
            self._live_queue,
            options=options,
            observer=self._output,
            played=self._output.played,
            rest=lambda: self._rest,
            on_missing_tools=self._on_missing_tools,
            tell_agent=self._tool_context.tell_agent,
        )
        self._connections = PeerConnections(
            lambda network: new_peer(self, self._output.speaker, settings.peer, recording, network),
            ended_because=lambda: self._ending.reason if self._ending else None,
            end=self.end,
            answered=UnusedMedia(self.tell, self._live_queue.context).take,
        )

        self._limits = CallLimits(time.monotonic(), settings.limits, allowance)
        self._tally, self._connected = Tally(), False
        unseen = UnseenScreen(lambda text: channel.error(text, fatal=False))
        self._unseen_screen = None if settings.videos.share_screen else unseen
        self._tasks = CallTasks(call_id, self._on_failed_task)
        self._ending: Ending | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the peer has ever been connected."""
        return self._connected

    # Signalling

    async def answer(self, offer: Offer, network: Network | None = None) -> str:
        """Accept the call's first offer; the answer's SDP.

        Args:
            offer: The caller's description.
            network: Where media is received; None for all of this machine's addresses.

        Raises:
            CallOver: The call was ended meanwhile.
        """
        answer = await self._connections.accept(offer, network)
        self._trace.done("offer")
        self._trace.begin("connect")
        return answer

    async def restart(self, offer: Offer, network: Network | None = None) -> str:
        """Replace the peer connection: the caller's network has changed.

        Raises:
            CallOver: The call is ending.
            Superseded: A newer restart has come meanwhile.
        """
        self._trace.begin("reconnect")
        return await self._connections.restart(offer, network, self._renew_media)

    async def renegotiate(self, offer: Offer) -> str:
        """Answer a further offer on the same peer connection: tracks come and go.

        Raises:
            CallOver: The call is ending.
            CannotRenegotiate: The connection can't go on with this offer; nothing has changed.
        """
        return await self._connections.renegotiate(offer)

    def continues(self, offer: Offer) -> bool:
        """Whether an offer comes from the caller's end of the present peer connection."""
        return self._connections.continues(offer)

    async def add_candidates(self, candidates: list[dict[str, Any]]) -> None:
        """Take trickled ICE candidates from the caller; see `Peer.add_candidates`."""
        await self._connections.add_candidates(candidates)

    async def close(self, reason: str, *, come_back: bool = False) -> None:
        """End the call and wait until nothing of it is left; idempotent.

        Args:
            reason: For the caller; a sentence without its full stop.
            come_back: Whether the caller's client should call again by itself, and continue.
        """
        self.end(reason, come_back=come_back)
        assert self._closing is not None
        await asyncio.shield(self._closing)

    def end(self, reason: str, *, come_back: bool = False) -> None:
        """Start to close the call, from where one can't wait."""
        if self._ending is None:
            self._ending = Ending(reason, come_back)
            if come_back and self._view.state in ("thinking", "speaking"):
                self._rest = "owed"
            self._tasks.refuse()
            self._closing = asyncio.create_task(
                self._close(self._ending), name=f"close-{self.call_id}"
            )

    async def hang_up(self) -> None:
        """Close the call for a caller who hangs up: nobody wants the rest of the answer."""
        self.on_goodbye()
        await self.close("the caller hung up")

    def notice(self, about: str, left_s: float, text: str) -> None:
        """Tell the caller that the call ends soon, and why."""
        self._view.show(NoticeMessage(about, round(left_s), text))

    def tell(self, text: str) -> None:
        """Tell the caller, as soon as their client can show it, that something does not work."""
        self._view.tell(text)

    # PeerListener

    def on_connected(self) -> None:
        """The peer is connected: start the model's side, once."""
        self._trace.done("connect", "reconnect")
        if not self._connected and self._ending is None:
            self._connected = True
            self._events.started()
            self._tasks.start(self._converse(), "live")
            watching = watch_limits(self._limits, self._view, self._check, self.end)
            self._tasks.start(watching, "limits")
            self._tasks.start(self._memory_recorder.run(), "memory")

    def on_microphone(self, track: MediaStreamTrack) -> None:
        """Listen to the caller."""
        self._tasks.start(self._input.microphone.run(track), "microphone")

    def on_camera(self, track: MediaStreamTrack) -> None:
        """Watch the caller's camera."""
        self._tasks.start(self._input.camera.watch(track), "camera")

    def on_screen(self, track: MediaStreamTrack) -> None:
        """Watch the caller's screen, which may come later: a client offers it in any case."""
        if self._unseen_screen is None:
            self._tasks.start(self._input.screen.watch(track), "screen")
        else:
            self._unseen_screen.offered(track)

    def on_channel(self, channel: RTCDataChannel) -> None:
        """The caller opened the data channel."""
        self._view.channel.attach(channel)

    def on_closed(self, reason: str) -> None:
        """The peer is gone, and with it the call."""
        self._view.channel.gone()
        self.end(reason)

    # ChannelListener

    def on_client_ready(self) -> None:
        """The caller's client can show things now."""
        self._view.greet(self.lease.earlier if self.lease.resumed else None)

    def on_text(self, text: str, *, spoken: bool) -> None:
        """The caller typed."""
        self._check_texts_waiting()
        self._output.answer_next_in_words(not spoken)
        self._pictures.after(partial(self._input.typed, text))
        self._memory_recorder.typed(text)

    def on_context(self, text: str, *, agents: bool) -> None:
        """The caller's client tells the agent something that wants no answer."""
        self._check_texts_waiting()
        self._live_queue.context(text, "model" if agents else "user")

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        """The caller switched the microphone, the camera or the screen on or off."""
        if receiver_index == rtvi.MICROPHONE:
            self._input.mute(not enabled)
        elif receiver_index == rtvi.CAMERA:
            self._input.camera.switch(enabled)
        elif receiver_index == rtvi.SCREEN:
            self._input.screen.switch(enabled)

    def on_client_message(self, type: str, data: object) -> object | None:
        """The page's own messages."""
        if type == "picture":
            return self._pictures.take(data)
        if type == "recording":
            return self.recording.asked_by_client(data)
        if type != "camera_size":
            raise rtvi.BadMessage(f"There is no client message of the type {type!r} here.")
        self._tool_context.camera_size(data)
        return None

    def on_goodbye(self) -> None:
        """The caller hung up."""
        if self._ending is None:
            self._rest = "unwanted"
        self.end("the caller hung up")

    def _check_texts_waiting(self) -> None:
        if not self._input.takes_text:
            raise rtvi.BadMessage(
                f"The agent has not read the last {MAX_WAITING} texts yet: this one was not "
                "taken. Send it again in a moment."
            )

    # The model's side

    async def _converse(self) -> None:
        # Tools run in tasks that ADK starts from here, and inherit this.
        call_scope.enter(self.call_id, self._tool_context)
        self._trace.enter()
        self._trace.begin("connect model")
        reason = "the model ended the conversation"
        try:
            await self._output.run(self._new_session())
        except LiveFailure as failure:
            self._metrics.model_failures.labels(failure.kind).inc()
            self._trace.failed(failure.kind)
            self._view.fail(str(failure))
            reason = str(failure).removesuffix(".")
        # A refusal comes faster than the caller's client is ready to show it.
        await self._view.until_ready(CLIENT_READY_TIMEOUT_S)
        self.end(reason)

    def _overhear(self, event: LiveEvent) -> None:
        self._memory_recorder.take(event)
        self._events.take(event)
        if isinstance(event, UserTranscript) and event.final:
            self._input.question_transcribed()
        if (usage := self._usage.take(event)) is not None:
            self._view.show(usage)

    def _on_missing_tools(self, text: str) -> None:
        self._metrics.model_failures.labels("toolset").inc()
        self.tell(text)

    # Housekeeping

    def _renew_media(self) -> None:
        self._input.renew()
        self._output.renew()

    def _on_state(self, state: State) -> None:
        self._trace.state(state)
        # Whatever is said, by either side, makes the call leave "listening" for a while.
        if state == "listening":
            self._limits.quiet(time.monotonic())
        else:
            self._limits.busy()

    def _on_failed_task(self, name: str) -> None:
        self._view.fail("Something went wrong on the server.")
        self.end(f"{name} failed on the server")

    async def _close(self, ending: Ending) -> None:
        closing = Closing(f"call {self.call_id}")
        reason, channel = ending.reason, self._view.channel
        try:
            closing.do(
                "the last state",
                lambda: self._view.set_state("ended", reason, come_back=ending.come_back),
            )
            closing.do("the model's queue", self._live_queue.close)
            closing.do("the channel", channel.close)
            await closing.wait("the channel", channel.drain())
            await closing.wait("the pictures", self._pictures.close())
            await closing.wait("the tools' jobs", self._tool_context.close())
            await closing.wait("the tasks", self._tasks.cancel())
            await self._connections.close(closing, reason)
            await closing.wait("the recording", self.recording.close(reason))
            closing.do("the media", self._input.close)
            closing.do("the conversation", lambda: self.lease.store.end(self.lease))
            closing.do("the usage", lambda: self._usage.call_ended(self.call_id, reason))
            closing.do("the trace", lambda: self._trace.end(reason))
            await closing.wait("the memory", self._memory_recorder.flush())
        finally:
            closing.do("the counters", self._count)
            self._metrics.calls_ended.inc()
            closing.do("the events", lambda: self._events.ended(ending))
            closing.do("the slot", lambda: self._tell_closed(self))

    def _check(self) -> None:
        self._count()
        if self._unseen_screen is not None:
            self._unseen_screen.check()

    def _count(self) -> None:
        """Add what happened since the last time to the server's counters."""
        for part in (self._input, self._output, self.recording):
            part.count()
        self._tally.add(self._metrics.memory_failures, self._memory_recorder.failures)
