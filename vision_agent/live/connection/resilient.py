"""A model connection that does not end before the conversation does.

ADK sees one endless connection. Behind it, connections come and go: a task of this object's own
opens one, pumps what it says into a bounded queue that ADK reads, and when it ends, for whatever
reason, opens the next and tells it what it missed (`ledger.py`). ADK never hears of `goAway` nor of
resumption handles, so its own reconnection, which cuts answers and knows no backoff, never runs.

While there is no connection, the live_queue is told to hold what the caller says, under its policy:
sound up to a bound, the newest picture, every word.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing

from google.adk.models.base_llm_connection import BaseLlmConnection, RealtimeInput
from google.adk.models.llm_response import LlmResponse
from google.genai import errors, types
from websockets.exceptions import ConnectionClosed

from vision_agent.live.adk_hooks import tap, tell
from vision_agent.live.connection.answer_splice import AnswerSplice
from vision_agent.live.connection.backoff import Backoff
from vision_agent.live.connection.close_policy import Verdict, judge
from vision_agent.live.connection.content_rewrite import hands_over
from vision_agent.live.connection.ledger import Ledger, ReceivedAnswer, Replay
from vision_agent.live.connection.observer import ConnectionObserver, Gate
from vision_agent.live.connection.replay import tell_replay
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.errors import LiveFailure, OwnFault, cause_of, explain, in_short, kind_of
from vision_agent.live.played import with_played

logger = logging.getLogger(__name__)

MAX_UNREAD = 4096
"""Responses that may wait for ADK; more of them hold the connection's reader up."""

MAX_UNREADABLE = 3
"""Messages in a row that make no sense before the connection is taken for broken."""

OpenLink = Callable[[str | None, bool], AbstractAsyncContextManager[BaseLlmConnection]]
"""Opens a connection: with this handle, or a new session that is (true) told a history first."""


class ResilientConnection(BaseLlmConnection):
    """See the module's text.

    Args:
        open_link: Opens one connection of ADK's own.
        ledger: The conversation's.
        observer: Notified of the state of the connection.
        gate: Holds back what the caller says while there is no connection.
        played: The words of the present answer that have been played so far; None: all that came.
        model: The model's name, for error messages.
        timeouts: How long to wait for what.
    """

    def __init__(
        self,
        open_link: OpenLink,
        ledger: Ledger,
        observer: ConnectionObserver,
        gate: Gate,
        *,
        played: Callable[[], str] | None = None,
        model: str,
        timeouts: Timeouts,
    ) -> None:
        self._open_link = open_link
        self._ledger = ledger
        self._observer = observer
        self._gate = gate
        self._played = played
        self._played_words: str | None = None
        self._model = model
        self._patience = timeouts
        self._backoff = Backoff(timeouts.first_s)
        self._unread: asyncio.Queue[LlmResponse | BaseException | None] = asyncio.Queue(MAX_UNREAD)
        self._link: BaseLlmConnection | None = None
        self._linked = asyncio.Event()
        self._ever_linked = False
        self._closing = False
        self._over = False
        self._resuming = False
        self._seeding = False
        self._splice = AnswerSplice(ReceivedAnswer())
        self._heard = ReceivedAnswer()
        self._leave_at_s: float | None = None
        self._stirred_at_s = 0.0
        self._stalls = 0
        self._refusals = 0
        self._deadline: asyncio.Timeout | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ResilientConnection:
        """Connects; `LiveFailure` or the service's own error if that can't be done."""
        self._task = asyncio.create_task(self._keep_connected(), name="model connection")
        linked = asyncio.create_task(self._linked.wait())
        try:
            await asyncio.wait([self._task, linked], return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await self.__aexit__()
            raise
        finally:
            linked.cancel()
        if not self._linked.is_set():
            await self.__aexit__()
            failure = self._unread.get_nowait()
            assert isinstance(failure, BaseException)
            raise failure
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # What ADK calls.

    async def send_history(self, history: list[types.Content]) -> None:
        """Nothing: the ledger was made with the history, and every new session is told it."""

    async def send_content(self, content: types.Content) -> None:
        """Sends typed words or tool results, on whichever connection there is."""
        await self._send_content(content)

    async def _send_content(self, content: types.Content, *, partial: bool = False) -> None:
        if partial and not any(part.function_response for part in content.parts or []):
            await self._linked.wait()
            self._ledger.sent_context(content)
            await self._try(lambda link: link._send_content(content, partial=True))
            return
        if not await self._is_linked():
            return
        if hands_over(content):
            # ADK closes this connection in a second and opens the next agent's. What the caller
            # says until then is for that one, and this one is not to go on talking.
            self._gate.hold()
            self._closing = True
            return
        delivery = self._ledger.sent_content(content)
        self._expect_answer()
        # Once: should the connection break on it, the ledger tells the next one.
        if (direct := delivery.direct) is not None:
            await self._try(lambda link: link.send_content(direct))
        if told := delivery.told:
            seeding, self._seeding = self._seeding, False
            await self._try(lambda link: link.send_history(told) if seeding else tell(link, told))

    async def send_realtime(self, blob: RealtimeInput) -> None:
        """Sends sound, a picture or a signal, on whichever connection there is."""
        if not await self._is_linked():
            return
        if isinstance(blob, types.Blob) and (blob.mime_type or "").startswith("audio/"):
            self._ledger.sent_audio(blob)
            await self._try(lambda link: link.send_realtime(blob))
        else:
            await self._send(lambda link: link.send_realtime(blob))  # type: ignore[arg-type]

    async def receive(self) -> AsyncGenerator[LlmResponse, None]:
        """What the model says, to the end of a turn; nothing once the conversation is over."""
        # ADK asks again after an end that came in the middle of a turn.
        while not self._over:
            item = await self._unread.get()
            if item is None:
                self._over = True
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            if item.turn_complete:
                return

    async def close(self) -> None:
        """Ends the conversation."""
        self._closing = True
        if self._link is not None:
            await self._link.close()
        elif self._task is not None:
            self._task.cancel()

    # Sending.

    async def _send(self, send: Callable[[BaseLlmConnection], Awaitable[None]]) -> None:
        """Sends until a connection has taken it."""
        while await self._is_linked():
            if await self._try(send):
                return

    async def _is_linked(self) -> bool:
        """Waits for a connection; false once the conversation is being ended."""
        # One that was accepted and dropped at once may be gone before who waits for it runs.
        while self._link is None and not self._closing:
            await self._linked.wait()
        return not self._closing

    async def _try(self, send: Callable[[BaseLlmConnection], Awaitable[None]]) -> bool:
        link = self._link
        if link is None:
            return False
        try:
            await send(link)
        except (ConnectionClosed, errors.APIError, OSError) as error:
            if link is self._link:
                self._unlink()
            logger.debug("not sent: %r", error)
            return False
        return True

    def _unlink(self) -> None:
        self._link = None
        self._linked.clear()
        self._gate.hold()

    # The connections, one after the other.

    async def _keep_connected(self) -> None:
        try:
            replay = self._ledger.lost()
            while not self._closing:
                error = await self._converse(replay)
                if error is None:
                    break
                replay = self._next(error)
                delay_s = self._backoff.failed(self._now_s())
                if delay_s is None:
                    away = " It did not come back." if self._ever_linked else ""
                    text = explain(error, model=self._model) + away
                    raise LiveFailure(text, kind=kind_of(error)) from error
                logger.info("model connection ended (%r): again in %.2f s", error, delay_s)
                await asyncio.sleep(delay_s)
            await self._unread.put(None)
        except asyncio.CancelledError:
            self._unread_nowait(None)
            raise
        except Exception as error:
            await self._unread.put(error)

    def _next(self, error: BaseException) -> Replay:
        """What the next connection is told; raises ``error`` if there is to be none."""
        if isinstance(error, OwnFault):
            logger.error("A model connection is given up: %s", cause_of(error))
        resuming = self._resuming
        verdict = (
            Verdict.RESUME
            if isinstance(error, _Left)
            else judge(error, resuming=resuming, settled=self._ever_linked)
        )
        if verdict is Verdict.GIVE_UP:
            raise error
        if verdict is Verdict.RESTART:
            self._ledger.forget_handle()
            self._refusals += 1
        return self._lost(error)

    def _lost(self, error: BaseException) -> Replay:
        before = self._ledger.answer
        if before.begun and not before.whole and before.audio_bytes >= self._heard.audio_bytes:
            self._heard = ReceivedAnswer(before.text, before.audio_bytes)
        completed = before.whole
        replay = self._ledger.lost()
        if completed or (before.begun and not self._ledger.owes):
            # All of the answer is here, or nobody asked for it: its end will not be told.
            self._heard = ReceivedAnswer()
            self._unread_nowait(LlmResponse(turn_complete=True))
        self._splice = AnswerSplice(self._heard if self._ledger.owes else ReceivedAnswer())
        if not self._closing and not (isinstance(error, _Left) and error.planned):
            self._observer.lost(str(error) if isinstance(error, _Left) else in_short(error))
        return replay

    async def _converse(self, replay: Replay) -> BaseException | None:
        """One connection to its end; returns why it ended, None if we closed it."""
        self._resuming = replay.handle is not None
        self._seeding = False
        self._leave_at_s = None
        try:
            async with asyncio.timeout(self._patience.setup_s) as setup:
                fresh = replay.handle is None and bool(replay.contents)
                async with self._open_link(replay.handle, fresh) as link:
                    tap(link, self._on_message)
                    if replay.contents:
                        self._expect_answer()
                    # What is told may be what is refused: no service is known to refuse words.
                    self._seeding = await tell_replay(link, replay, in_words=self._refusals > 1)
                    setup.reschedule(None)
                    self._backoff.budget_s = self._patience.budget_s
                    self._backoff.connected(self._now_s())
                    self._ever_linked = True
                    self._link = link
                    self._linked.set()
                    self._gate.release()
                    self._observer.connected()
                    await self._pump(link)
        except (Exception, TimeoutError) as error:
            return None if self._closing else error
        finally:
            self._unlink()
        return None if self._closing else _Left("The model closed the connection.", planned=False)

    async def _pump(self, link: BaseLlmConnection) -> None:
        unreadable = 0
        while True:
            ended = True
            try:
                async with asyncio.timeout(None) as self._deadline:
                    self._set_deadline()
                    async with aclosing(link.receive()) as responses:
                        async for response in responses:
                            ended, unreadable = False, 0
                            await self._pass_on(response)
                            self._leave_if_due()
            except TimeoutError:
                self._overdue()
                continue
            except (ValueError, TypeError) as error:
                # Garbage ends google-genai's generator, not the connection.
                unreadable += 1
                logger.warning("the model service sent what can't be read: %s", cause_of(error))
                if unreadable >= MAX_UNREADABLE:
                    raise
                continue
            finally:
                self._deadline = None
            if ended:
                return
            self._leave_if_due()

    async def _pass_on(self, response: LlmResponse) -> None:
        try:
            await self._splice_in(response)
        except (ValueError, TypeError) as error:
            raise OwnFault("what the model said could not be passed on") from error

    async def _splice_in(self, response: LlmResponse) -> None:
        if response.live_session_resumption_update or response.go_away:
            return
        for passed in self._splice.feed(response):
            if passed.interrupted and (words := self._words_played()) is not None:
                passed = with_played(passed, words)
            if passed.content:
                self._ledger.passed_on(passed.content)
            await self._unread.put(passed)
        if self._splice.joined:
            self._heard = ReceivedAnswer()

    def _words_played(self) -> str | None:
        """What has been played of the answer that the present message interrupts; asked once."""
        if self._played_words is None and self._played is not None:
            self._played_words = self._played()
        return self._played_words

    def _unread_nowait(self, response: LlmResponse | None) -> None:
        try:
            self._unread.put_nowait(response)
        except asyncio.QueueFull:
            logger.warning("ADK has not read for long: the end of a turn is not told.")

    def _on_message(self, message: types.LiveServerMessage) -> None:
        try:
            self._note(message)
        except (ValueError, TypeError) as error:
            # Inside google-genai's reading it would be taken for garbage of the service's.
            raise OwnFault("what the model sent could not be noted") from error

    def _note(self, message: types.LiveServerMessage) -> None:
        self._stirred_at_s = self._now_s()
        if message.server_content or message.tool_call:
            self._stalls = 0
            self._refusals = 0
            self._backoff.useful()
        # Of the present message's: ADK makes responses of one message before it reads the next.
        self._played_words = None
        if message.server_content and message.server_content.interrupted:
            self._ledger.received(message, self._words_played())
        else:
            self._ledger.received(message)
        if message.tool_call_cancellation:
            self._observer.cancelled(list(message.tool_call_cancellation.ids or []))
        if message.go_away:
            self._leave_at_s = self._now_s() + self._patience.leaves_in_s(message.go_away)
        self._set_deadline()

    # Leaving.

    def _expect_answer(self) -> None:
        self._stirred_at_s = self._now_s()
        self._set_deadline()

    def _set_deadline(self) -> None:
        if self._deadline is None or self._deadline.expired():
            return
        times = [] if self._leave_at_s is None else [self._leave_at_s]
        if self._ledger.owes:
            times.append(self._stirred_at_s + self._patience.stall_s)
        self._deadline.reschedule(min(times) if times else None)

    def _leave_if_due(self) -> None:
        # The handle of a turn comes after its end.
        if self._leave_at_s is not None and self._ledger.idle and self._ledger.resumable:
            raise _Left("The connection was about to end.", planned=True)

    def _overdue(self) -> None:
        if self._leave_at_s is not None and self._now_s() >= self._leave_at_s:
            raise _Left("The connection was about to end.", planned=True)
        self._stalls += 1
        if self._stalls > 1:
            # Asked twice, silent twice: it has nothing to say to this.
            self._stalls = 0
            self._ledger.give_up_answer()
            self._unread_nowait(LlmResponse(turn_complete=True))
            return
        raise _Left("The model does not answer.", planned=False)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


class _Left(Exception):
    """We leave a connection ourselves."""

    def __init__(self, why: str, *, planned: bool) -> None:
        super().__init__(why)
        self.planned = planned
