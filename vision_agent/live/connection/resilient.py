"""A model connection that does not end before the conversation does.

ADK sees one endless connection. Behind it, connections come and go: a task opens one, pumps the
model's responses into a bounded queue that ADK reads, and when the connection ends, for whatever
reason, opens the next one and sends it what it missed (`ledger.py`). ADK gets neither `goAway` nor
resumption handles, so its own reconnection, which cuts answers and has no backoff, never runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from google.adk.models.base_llm_connection import BaseLlmConnection, RealtimeInput
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from vision_agent.live.adk_hooks import (
    ContentConnection,
    drop_when_unacknowledged,
    is_unknown_kind,
    send_context,
    send_conversation,
    tap,
)
from vision_agent.live.connection.answer_splice import SplicedAnswer
from vision_agent.live.connection.attempt import Attempt
from vision_agent.live.connection.backoff import Backoff
from vision_agent.live.connection.calls_once import CallsOnce
from vision_agent.live.connection.close_policy import Verdict
from vision_agent.live.connection.content_rewrite import hands_over, tools_in_words
from vision_agent.live.connection.current_link import CurrentLink, OpenLink
from vision_agent.live.connection.deadline import Deadline
from vision_agent.live.connection.ledger import Ledger, Replay
from vision_agent.live.connection.liveness import ModelLiveness, Sign
from vision_agent.live.connection.observer import ConnectionObserver, Gate
from vision_agent.live.connection.replay import newest_turns, send_replay, turn_signals
from vision_agent.live.connection.sound_form import SoundForm
from vision_agent.live.connection.spaced_words import SpacedWords
from vision_agent.live.connection.timeouts import Timeouts
from vision_agent.live.connection.unread_responses import UnreadResponses
from vision_agent.live.errors import (
    ConnectionLeft,
    LiveFailure,
    cause_of,
    explain,
    in_short,
    kind_of,
)
from vision_agent.live.media import readable_results, shown_apart
from vision_agent.live.models import model_habits
from vision_agent.live.own_fault import OwnCode, OwnFault
from vision_agent.live.played import PlayedOnce, with_played

logger = logging.getLogger(__name__)

MAX_UNREADABLE = 3
"""Unreadable messages in a row after which the connection counts as broken."""

_UNANSWERED = "The model did not answer, though it was asked twice. Ask again in a moment."

_PASSING_ON = OwnCode("what the model said could not be passed on")
_NOTING = OwnCode("what the model sent could not be noted")


class ResilientConnection(ContentConnection):
    """One model connection for a whole conversation.

    Args:
        open_link: Opens one connection of ADK's own.
        ledger: The conversation's ledger.
        observer: Notified of the state of the connection.
        gate: Holds back what the caller says while there is no connection (`LiveQueue`).
        played: Returns the played words of the present answer; None keeps all its words.
        overhear: Called with each message of the model, before ADK reads it.
        model: The model's name, for error messages.
        timeouts: How long to wait for what.
        history_turns: How many turns a session that is not resumed is told; None: all.
    """

    def __init__(
        self,
        open_link: OpenLink,
        ledger: Ledger,
        observer: ConnectionObserver,
        gate: Gate,
        *,
        played: Callable[[], str] | None = None,
        overhear: Callable[[types.LiveServerMessage], None] | None = None,
        model: str,
        timeouts: Timeouts,
        history_turns: int | None = None,
    ) -> None:
        self._open_link = open_link
        self._ledger = ledger
        self._observer = observer
        self._played = PlayedOnce(played)
        self._overhear = overhear
        self._model = model
        self._habits = model_habits(model)
        self._gate = gate
        self._timeouts = timeouts
        self._history_turns = history_turns
        self._signals_turns = self._in_turn = False
        self._backoff = Backoff(timeouts.first_s)
        self._liveness = ModelLiveness(timeouts.stall_s, timeouts.thinking_s)
        self._attempt = Attempt()
        self._link = CurrentLink(gate)
        self._unread = UnreadResponses()
        self._words, self._calls = SpacedWords(), CallsOnce()
        self._sound = SoundForm()
        self._answer = SplicedAnswer()
        self._deadline = Deadline(self._liveness, ledger)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ResilientConnection:
        """Connect; raises `LiveFailure` or the service's own error if that fails."""
        self._gate.watch_reader(self._unread.fail)
        self._task = asyncio.create_task(self._keep_connected(), name="model connection")
        linked = asyncio.create_task(self._link.wait())
        try:
            await asyncio.wait([self._task, linked], return_when=asyncio.FIRST_COMPLETED)
            if not linked.done():
                raise self._unread.failure()
        except BaseException:
            await self.__aexit__()
            raise
        finally:
            linked.cancel()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._link.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            with contextlib.suppress(asyncio.CancelledError):
                self._task.exception()  # a cancelled task holds itself by it until it is asked

    # Called by ADK.

    async def send_history(self, history: list[types.Content]) -> None:
        """Nothing: the ledger was made with the history and sends it to every new session."""

    async def send_words(self, content: types.Content, *, wants_answer: bool) -> None:
        """Send typed words or tool results, on whichever connection there is."""
        if not await self._link.wait():
            return
        # Each is sent once: if the connection breaks on it, the ledger sends it to the next one.
        if not wants_answer and not any(part.function_response for part in content.parts or []):
            self._ledger.sent_context(content)
            await self._link.send(lambda link: send_context(link, content))
            return
        if hands_over(content):
            # ADK closes this connection within a second and opens that of the next agent, for whom
            # the caller's words are from now on. This agent must stop talking.
            self._link.hold()
            self._link.end()
            return
        delivery = self._ledger.sent_content(readable_results(content))
        self._expect_answer()
        if (direct := delivery.direct) is not None:
            await self._send(direct)
        if missed := delivery.conversation:
            if self._in_words:
                missed = tools_in_words(missed)
            await self._link.send(lambda link: send_conversation(link, missed))

    async def _send(self, content: types.Content) -> None:
        shown = None
        if not self._habits.images_in_results:
            content, shown = shown_apart(content)
        if any(part.inline_data for part in content.parts or []):
            content, shown = types.Content(), content
        if content.parts:
            await self._link.send(lambda link: link.send_content(content))
        if shown is not None:
            await self._link.send(lambda link: send_conversation(link, [shown]))

    async def send_realtime(self, blob: RealtimeInput) -> None:
        """Send sound, a camera frame or a signal, on whichever connection there is."""
        if not await self._link.wait():
            return
        if isinstance(blob, types.Blob) and (blob.mime_type or "").startswith("audio/"):
            self._ledger.sent_audio(blob)
            await self._link.send(lambda link: link.send_realtime(blob))
        else:
            await self._link.send_until_taken(
                lambda link: link.send_realtime(blob)  # type: ignore[arg-type]
            )
            if isinstance(blob, types.ActivityStart | types.ActivityEnd):
                self._signals_turns = True
                self._in_turn = isinstance(blob, types.ActivityStart)

    def receive(self) -> AsyncGenerator[LlmResponse, None]:
        """The model's responses up to the end of a turn; nothing once the conversation is over."""
        return self._unread.turn()

    async def close(self) -> None:
        """End the conversation."""
        self._link.end()
        if not await self._link.close() and self._task is not None:
            self._task.cancel()

    # The connections, one after the other.

    async def _keep_connected(self) -> None:
        try:
            replay = self._ledger.lost()
            while not self._link.closing:
                error = await self._converse(replay)
                if error is None:
                    break
                replay = self._next(error)
                delay_s = self._backoff.failed(_now_s(), owes=self._ledger.owes)
                if delay_s is None:
                    away = " It did not come back." if self._attempt.connected_before else ""
                    text = explain(error, model=self._model) + away
                    raise LiveFailure(text, kind=kind_of(error)) from error
                logger.info("model connection ended (%r): again in %.2f s", error, delay_s)
                await asyncio.sleep(delay_s)
            await self._unread.end(None)
        except asyncio.CancelledError:
            self._unread.end_nowait()
            raise
        except Exception as error:
            # ADK's reader raises it; `LiveSession` logs it with its cause.
            await self._unread.end(error)

    def _next(self, error: BaseException) -> Replay:
        """What the next connection is sent; raises ``error`` if there is to be none."""
        if isinstance(error, OwnFault):
            logger.error("A model connection is given up: %s", cause_of(error))
        verdict = self._attempt.ended(error)
        if verdict is Verdict.GIVE_UP:
            raise error
        if verdict is Verdict.RESTART:
            self._ledger.forget_handle()
        answer, replay = self._ledger.answer, self._ledger.lost()
        if answer.whole and answer.begun:
            # The service has done its part; the turn would have ended with the sound.
            self._backoff.useful()
        if self._answer.broken_off(answer, owed=self._ledger.owes):
            self._unread.end_turn()
        left = error if isinstance(error, ConnectionLeft) else None
        if not self._link.closing and not (left and left.planned):
            self._observer.lost(str(left) if left else in_short(error))
        return replay

    async def _converse(self, replay: Replay) -> BaseException | None:
        """Hold one connection to its end; returns why it ended, None if it was closed from here."""
        replay = newest_turns(replay, self._history_turns)
        signals = turn_signals(replay, signalled=self._signals_turns, open_turn=self._in_turn)
        fresh = self._attempt.begin(replay)
        self._liveness.connecting()
        self._words, self._calls = SpacedWords(), CallsOnce()
        try:
            async with asyncio.timeout(self._timeouts.setup_s) as setup:
                async with self._open_link(replay.handle, fresh) as link:
                    tap(link, self._on_message)
                    drop_when_unacknowledged(link, self._timeouts.acknowledged_s)
                    if replay.contents:
                        self._expect_answer()
                    await send_replay(
                        link, replay, self._gate, in_words=self._in_words, signals=signals
                    )
                    setup.reschedule(None)
                    self._backoff.budget_s = self._timeouts.budget_s
                    self._backoff.connected(_now_s())
                    self._attempt.connected()
                    self._link.opened(link)
                    self._observer.connected()
                    try:
                        await self._pump(link)
                    finally:
                        # Closing takes until the service acknowledges it.
                        self._link.lost()
                        self._deadline.forget_moment()
        except (Exception, TimeoutError) as error:
            # Judged by `close_policy`: another connection, or the conversation's end.
            return None if self._link.closing else error
        finally:
            self._link.lost()
        left = ConnectionLeft("The model closed the connection.", planned=False)
        return None if self._link.closing else left

    @property
    def _in_words(self) -> bool:
        """Whether tool calls and their results are sent as text, outside the session they are of.

        After two refusals they may be what the service refuses; no service is known to refuse text.
        """
        return self._attempt.refused_twice or not self._habits.calls_in_history

    async def _pump(self, link: BaseLlmConnection) -> None:
        unreadable, unknown = 0, False
        while True:
            ended = True
            try:
                async with self._deadline.limit(), aclosing(link.receive()) as responses:
                    async for response in responses:
                        ended, unreadable = False, 0
                        await self._pass_on(response)
                        # Messages that have come together: other calls' voices go in between.
                        await asyncio.sleep(0)
            except TimeoutError:
                self._liveness.overdue(_now_s())
                self._give_up_answer()
                continue
            except (ValueError, TypeError) as error:
                # Garbage ends google-genai's generator, not the connection.
                if is_unknown_kind(error):
                    if not unknown:
                        logger.warning("the model service sends messages of a kind not known here")
                    unknown = True
                    continue
                unreadable += 1
                logger.warning("the model service sent what can't be read: %s", cause_of(error))
                if unreadable >= MAX_UNREADABLE:
                    raise
                continue
            if ended:
                return

    async def _pass_on(self, response: LlmResponse) -> None:
        if response.live_session_resumption_update or response.go_away:
            return
        with _PASSING_ON:
            for passed in self._answer.feed(response):
                if passed.interrupted and (words := self._played.words()) is not None:
                    passed = with_played(passed, words)
                if passed.content:
                    self._ledger.passed_on(passed.content)
                await self._unread.put(passed)

    def _give_up_answer(self) -> None:
        logger.warning("the model %r was asked twice and has not answered", self._model)
        self._ledger.give_up_answer()
        self._backoff.given_up()
        self._unread.end_turn()
        self._observer.unanswered(_UNANSWERED)

    def _on_message(self, message: types.LiveServerMessage) -> None:
        with _NOTING:
            if (why := self._sound.received(message)) is not None:
                self._observer.unanswered(why)
            self._words.received(message)
            self._calls.received(message)
            now_s = _now_s()
            sign = self._liveness.received(message, now_s)
            if sign >= Sign.WORDS:
                self._attempt.answered()
            if sign is Sign.ANSWER:
                self._backoff.useful()
            self._played.next_message()
            interrupted = message.server_content and message.server_content.interrupted
            self._ledger.received(message, self._played.words() if interrupted else None)
            if self._overhear is not None:
                self._overhear(message)
            if message.tool_call_cancellation:
                self._observer.cancelled(list(message.tool_call_cancellation.ids or []))
            if message.go_away:
                self._liveness.end_announced(now_s + self._timeouts.leaves_in_s(message.go_away))
                self._deadline.await_moment()
            self._deadline.set()

    def _expect_answer(self) -> None:
        self._liveness.asked(_now_s())
        self._deadline.set()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
