"""The calls in progress: how many there may be, how they start, and how they end together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from weakref import WeakValueDictionary

from vision_agent.addresses import counted_as
from vision_agent.agents.host import HostedAgent
from vision_agent.calls.admission import Admission
from vision_agent.calls.call import Call
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.event_queue import EventQueue
from vision_agent.calls.event_reporter import EventReporter
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.options import CallSettings
from vision_agent.calls.recording_control import RecordingControl
from vision_agent.calls.recording_policy import RecordingDecision
from vision_agent.live.call_options import CallOptions
from vision_agent.live.sessions.caller_identity import CallerIdentity
from vision_agent.live.sessions.store import session_id_of, user_id_of
from vision_agent.recordings.lines import HeaderLine
from vision_agent.rtc import Network, Offer, overload
from vision_agent.worker_name import named

logger = logging.getLogger(__name__)

UNKNOWN = CallerIdentity()
NOT_RECORDED = RecordingDecision(False)

CLOSE_TIMEOUT_S = 1.5
"""Bound on ending all calls together, so that a server stops within two seconds."""


class FullHouse(RuntimeError):
    """There is no room for another call."""


class NothingToResume(RuntimeError):
    """There is no conversation to continue, and none may be begun."""


class Draining(RuntimeError):
    """The server is about to stop and takes no more calls.

    Attributes:
        left_s: How long the calls in progress may continue.
    """

    def __init__(self, left_s: float) -> None:
        super().__init__("The server is about to restart and takes no more calls. Try again soon.")
        self.left_s = left_s


class CallRegistry:
    """Starts calls, finds them by id, and knows when each is over.

    Args:
        settings: What holds for every call.
        metrics: The server's counters.
        admission: Bounds how many calls one address may have.
        max_calls: How many calls there may be at the same time.
        on_garbage: Called when a call has left objects to collect, with whether no call is left.
        worker: The server's name among several; calls' ids begin with it.
        events: Tells a program around the server what happens in calls.
    """

    def __init__(
        self,
        settings: CallSettings,
        metrics: Metrics,
        admission: Admission,
        *,
        max_calls: int,
        on_garbage: Callable[[bool], None],
        worker: str = "",
        events: EventQueue | None = None,
    ) -> None:
        self._settings = settings
        self._max_calls = max_calls
        metrics.max_calls.set(max_calls)
        self._on_garbage = on_garbage
        self._worker = worker
        self._events = events or EventQueue(None)
        self._metrics = metrics
        self._admission = admission
        self._calls: dict[str, Call] = {}
        self._by_session: dict[str, Call] = {}
        self._beginning: set[str] = set()
        self._addresses: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._resuming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._empty = asyncio.Event()
        self._empty.set()
        self._drained_at_s: float | None = None

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, call_id: str) -> Call | None:
        """The call with this id, unless it has ended."""
        return self._calls.get(call_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the calls in progress."""
        return tuple(self._calls)

    @property
    def draining(self) -> bool:
        """Whether no more calls are taken, because the server is about to stop."""
        return self._drained_at_s is not None

    async def start(
        self,
        offer: Offer,
        *,
        host: HostedAgent,
        options: CallOptions,
        recording: RecordingDecision = NOT_RECORDED,
        network: Network | None = None,
        resume: str | None = None,
        only_resumed: bool = False,
        caller: CallerIdentity = UNKNOWN,
        address: str = "",
    ) -> tuple[Call, str]:
        """Start a call for an offer; the call, and the answer's SDP.

        Args:
            offer: The caller's description.
            host: The agent that is called.
            options: How the agent answers in this call.
            recording: Whether it is recorded.
            network: Where the call's media is received; None for all of this machine's addresses.
            resume: The token of a conversation to continue. A call that is still on it is ended.
            only_resumed: Whether no new conversation may be begun.
            caller: Who calls.
            address: The caller's IP address; empty if it is unknown.

        Raises:
            Refusal: The address or the user has too many calls, or has used up its day.
            Draining: The server is about to stop.
            FullHouse: No slot is free, or the calls in progress are too many already.
            NothingToResume: Only an earlier conversation may be continued, and there is none.
            CallOver: The call was ended while it was being set up.
        """
        began_s = time.monotonic()
        if resume is not None and not caller.may_continue(user_id_of(resume)):
            resume = None  # it is another user's: the token may have leaked
        # One at a time: two that resume at once would both find no call on the conversation.
        async with self._resuming_alone(resume):
            await self._admission.recall(caller.user_id, address)
            if self._drained_at_s is not None:
                raise Draining(self._drained_at_s - asyncio.get_running_loop().time())
            if resume is not None:
                while (older := self._on(session_id_of(resume), host)) is not None:
                    await older.close("the conversation was continued on another connection")
            if len(self._calls) + len(self._beginning) >= self._max_calls:
                raise FullHouse(f"All {self._max_calls} lines are busy. Try again shortly.")
            if resume is None and overload.current.lasts(time.monotonic()):
                raise FullHouse("The server has more to do than it can. Try again shortly.")
            if address:
                self._check_address(counted_as(address))
            user = caller.user_id
            if user:
                self._admission.user_line(sum(of == user for of in self._users.values()))
            allowance = self._admission.allowance(user, address)
            # The slot is taken before the first await.
            call_id = named(self._worker, uuid.uuid4().hex)
            self._beginning.add(call_id)
            self._addresses[call_id], self._users[call_id] = counted_as(address), user
            try:
                lease = await host.store.begin(resume, caller.user_id)
            except BaseException:
                self._leave(call_id)
                raise
            finally:
                self._beginning.discard(call_id)
            if self._drained_at_s is not None or (only_resumed and not lease.resumed):
                host.store.end(lease)
                self._leave(call_id)
                if self._drained_at_s is None:
                    raise NothingToResume
                raise Draining(self._drained_at_s - asyncio.get_running_loop().time())
            events = EventReporter(self._events, call_id, lease, host.app_name)
            header = HeaderLine(
                at_ms=0,
                call_id=call_id,
                agent=host.app_name,
                model=host.model_choice.model,
                version=host.version,
                options=options.model_dump(mode="json", exclude_defaults=True),
                session_id=lease.session_id,
                resumed=lease.resumed,
            )
            call = Call(
                call_id,
                host,
                self._settings,
                self._metrics,
                options=options,
                lease=lease,
                allowance=allowance,
                events=events,
                recording=RecordingControl(
                    self._settings.recording,
                    recording,
                    header,
                    events,
                    self._metrics,
                    shares_screen=self._settings.videos.share_screen,
                ),
                trace=CallTrace(
                    self._metrics,
                    began_s,
                    {
                        "vision_agent.call.id": call_id,
                        "vision_agent.resumed": lease.resumed,
                        "gen_ai.conversation.id": lease.session_id,
                        "gen_ai.agent.name": host.name,
                        "gen_ai.request.model": host.model_choice.model,
                    },
                    on_turn=events.lines.turn,
                ),
                on_closed=self._forget,
            )
            self._calls[call_id] = self._by_session[lease.session_id] = call
            self._empty.clear()
            self._metrics.calls.set(len(self._calls))
            if lease.resumed:
                self._metrics.calls_resumed.inc()
            if not offer.hears:
                self._metrics.calls_unheard.inc()
                logger.info(
                    "Call %s takes no sound: the agent hears and sees the caller, and its voice "
                    "reaches nobody.",
                    call_id,
                )
            try:
                return call, await call.answer(offer, network)
            except BaseException:
                await call.close("the offer failed")
                raise

    async def drain(self, grace_s: float) -> None:
        """Take no more calls, let those in progress continue for a while, then end them.

        Args:
            grace_s: For how long.
        """
        loop = asyncio.get_running_loop()
        self._drained_at_s = loop.time() + grace_s
        for call in self._calls.values():
            call.notice("drain", grace_s, "The server is about to restart. You can go on then.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        await self.close("the server is restarting", come_back=True)

    async def close(self, reason: str, *, come_back: bool = False) -> None:
        """End every call, bounded in time; see `Call.close`."""
        closing = [
            asyncio.create_task(call.close(reason, come_back=come_back))
            for call in self._calls.values()
        ]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_TIMEOUT_S)

    def _on(self, session_id: str, host: HostedAgent) -> Call | None:
        """The call on a conversation of this agent; None if there is none."""
        call = self._by_session.get(session_id)
        return call if call is not None and call.lease.store is host.store else None

    def _resuming_alone(self, resume: str | None) -> AbstractAsyncContextManager[None]:
        """Lets one caller at a time continue a conversation; a new one waits for nobody."""
        if resume is None:
            return contextlib.nullcontext()
        return self._resuming.setdefault(session_id_of(resume), asyncio.Lock())

    def _leave(self, call_id: str) -> None:
        self._addresses.pop(call_id, None)
        self._users.pop(call_id, None)

    def _check_address(self, address: str) -> None:
        theirs = [self._calls.get(id) for id, of in self._addresses.items() if of == address]
        unconnected = sum(call is None or not call.connected for call in theirs)
        self._admission.line(len(theirs), unconnected)

    def taken_elsewhere(self, session_id: str) -> None:
        """Another server on the same database has resumed a conversation of ours."""
        if (call := self._by_session.get(session_id)) is not None:
            call.end("the conversation was continued on another connection")

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.call_id, None)
        self._leave(call.call_id)
        if self._by_session.get(call.lease.session_id) is call:
            del self._by_session[call.lease.session_id]
        if not self._calls:
            self._empty.set()
        self._metrics.calls.set(len(self._calls))
        if call.connected or not self._calls:  # an unconnected call leaves next to nothing
            self._on_garbage(not self._calls)
