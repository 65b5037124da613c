"""One connection's conversation: joins the wire, the turn-taking and the engine.

Decides nothing itself: `client_messages` parses, `turns` decides, `turn_conduct` carries that out
with the engine, and `send_queue` sends. The session acts on what they return; none of them calls
back. The engine works in tasks of its own: the receive loop notices a caller who cuts in at once.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence

from vision_agent.local import adk_dialect
from vision_agent.local.api import client_messages, server_messages
from vision_agent.local.api.audio_input import AudioInput, SpeechEvent
from vision_agent.local.api.context import Context
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.json_fields import INVALID_ARGUMENT, Refused, invalid
from vision_agent.local.api.lifetime import ConnectionExpiring, ConnectionOver, SessionLifetime
from vision_agent.local.api.limits import SERVICE, Limits
from vision_agent.local.api.pending_content import PendingContent
from vision_agent.local.api.response_stream import ResponseStream
from vision_agent.local.api.resumption import Resumption
from vision_agent.local.api.resumption_handles import ResumptionHandles
from vision_agent.local.api.send_queue import SendQueue
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.session_history import SavedSession
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turn_conduct import TurnConduct
from vision_agent.local.api.turn_states import Caller, Floor
from vision_agent.local.api.turns import Turns
from vision_agent.local.contract import SpeechStarted


class Session:
    """One conversation, from setup to hang-up.

    Args:
        setup: What the client asked for.
        engine: Hears, thinks and speaks.
        handles: Where to keep what can be resumed.
        send: Puts one message on the socket.
        user: Whose conversation it is, if the client says so.
        limits: How long it may last and how much it may hold.

    Raises:
        Refused: the handle to resume is unknown or too old.
    """

    def __init__(
        self,
        setup: Setup,
        engine: EnginePort,
        handles: ResumptionHandles,
        send: Callable[[ServerMessage], Awaitable[None]],
        user: str = "",
        limits: Limits = SERVICE,
    ) -> None:
        self.id = str(uuid.uuid4())
        self._setup = setup
        self._habits = setup.habits
        self._loop = asyncio.get_running_loop()
        saved = handles.resumed(setup.handle, self._habits, self._loop.time())
        self._lifetime = SessionLifetime(
            limits,
            self._habits.end,
            compressed=setup.compression is not None,
            now_s=self._loop.time(),
            age_s=saved.age_s,
        )
        self._context = Context(setup, saved)
        self._queue = SendQueue(send)
        self._turns = Turns(
            barge_in=setup.barge_in,
            tool_call_ends_turn=self._habits.tool_call_ends_turn,
            background_call_ends_turn=self._habits.background_call_ends_turn,
            cancels_calls=self._habits.cancels_calls,
            fills=bool(self._habits.filler),
        )
        self._resumption = Resumption(
            setup, handles, self.id, self._saved, self._loop.time(), always=limits.resumable_always
        )
        self._seeded = not setup.history_first
        self._pending = PendingContent()
        hearing = engine.hearing(setup.hearing, setup.tools, setup.instruction)
        self._audio_input = AudioInput(setup, hearing, self._now_ms())
        self._conduct = TurnConduct(
            setup,
            self._turns,
            self._context,
            self._audio_input,
            ResponseStream(engine, setup),
            self._resumption,
            self._queue,
            limits,
            user,
        )

    async def run(self, messages: AsyncIterable[str | bytes]) -> None:
        """Talks until the client hangs up; then every task of the session has ended.

        Args:
            messages: What the client sends after its setup.

        Raises:
            ExceptionGroup: of `Refused` (the client broke the protocol), `ClientTooSlow`, or
                whatever went wrong in the engine.
        """
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._queue.run())
                timing = group.create_task(self._keep_time())
                self._conduct.begin(group)
                named = self.id if self._habits.session_id else None
                self._send(server_messages.setup_complete(named))
                try:
                    async for raw in messages:
                        self._conduct.messages += 1
                        for message in client_messages.parse(
                            raw, self._setup.model, self._setup.endpoint, self._habits
                        ):
                            self._take(message)
                            # A message may hold a minute of sound, and a client a hundred such
                            # messages: the other sessions get their turn between them.
                            await asyncio.sleep(0)
                finally:
                    sending.cancel()
                    timing.cancel()
                    self._conduct.end()
        finally:
            await self._audio_input.close()

    def _now_ms(self) -> int:
        return round(self._loop.time() * 1000)

    def _stream_ms(self) -> int:
        return self._audio_input.stream_ms(self._now_ms())

    def _send(self, *messages: ServerMessage) -> None:
        for message in messages:
            self._queue.put(message)

    # What the client says.

    def _take(self, message: client_messages.ClientMessage) -> None:
        now_ms = self._now_ms()
        match message:
            case client_messages.Audio(pcm, rate_hz):
                self._context.sound(message.duration_ms)
                played_until_ms = self._turns.played_until_ms
                self._detected(self._audio_input.audio(pcm, rate_hz, now_ms, played_until_ms))
            case client_messages.Video(data):
                speaking = self._turns.caller is Caller.SPEAKING
                self._context.frame(data, self._stream_ms(), speaking=speaking)
                self._lifetime.video_came()
                self._conduct.decided.set()
            case client_messages.Text(text):
                self._typed(text)
            case client_messages.ClientContent():
                self._content(message)
            case client_messages.ToolResponse(results):
                for result in results:
                    self._context.tool_answered(result, self._stream_ms())
                later = self._pending.is_unfinished and self._turns.floor is Floor.WAITING_FOR_TOOL
                self._pending.answered(results, later=later)
                self._conduct.do(self._turns.tools_answered(results, now_ms, later=later))
            case client_messages.ActivityStart():
                self._speech(self._audio_input.activity_started(now_ms))
            case client_messages.ActivityEnd():
                self._speech(self._audio_input.activity_ended(now_ms))
            case client_messages.AudioStreamEnd():
                self._detected(self._audio_input.microphone_closed())
            case client_messages.ContextUpdate(instruction, tools):
                if instruction is not None:
                    self._context.instruct(instruction)
                if tools is not None:
                    self._conduct.tools = tools

    def _detected(self, events: Sequence[SpeechEvent]) -> None:
        """Speech that the server found in the sound, which the client may want to know.

        Its end is reported with its transcript.
        """
        for event in events:
            if self._setup.voice_activity and isinstance(event, SpeechStarted):
                self._send(server_messages.voice_activity("ACTIVITY_START", event.at_ms))
            elif self._setup.voice_activity:
                self._conduct.reports_end(event.at_ms)
            self._speech([event])

    def _speech(self, events: Sequence[SpeechEvent]) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._context.speech_started(event.at_ms)
                self._conduct.do(self._turns.caller_started(self._now_ms()))
            else:
                self._context.speech_stopped(event.at_ms)
                self._conduct.do(self._turns.caller_stopped())

    def _typed(self, typed: str) -> None:
        text = typed
        if adk_dialect.asks_for_answer(typed):
            text = self._context.take_unanswered()
            if self._pending.has_results:
                self._answer_results(text)
                return
        self._conduct.do(self._turns.typed(text or typed, self._now_ms(), is_activity=True))
        # Now the turn that it may have interrupted has ended: it belongs to the next one.
        self._context.text(typed)

    def _content(self, message: client_messages.ClientContent) -> None:
        seeding = not self._seeded
        if not (seeding or self._habits.content_any_time):
            raise invalid(INVALID_ARGUMENT)
        asks = message.turn_complete
        if asks or self._habits.unfinished_content_interrupts:
            # The current answer ends before any of the content counts.
            self._conduct.do(self._turns.content_added(self._now_ms(), asks=asks))
        question = self._pending.add(message.contents, complete=asks)
        at_ms = self._stream_ms()
        for index, content in enumerate(message.contents):
            self._context.content(
                content,
                at_ms,
                is_question=index == question,
                after_question=0 <= question < index,
            )
        if not asks:
            return
        self._seeded = True
        text = self._pending.take_question() or self._context.take_unanswered()
        if seeding and (self._setup.model.generation >= 3 or not text):
            # 3.x begins with the next real-time input; no model begins without a question.
            self._context.settle(text)
        elif self._pending.has_results:
            self._answer_results(text)
        else:
            self._conduct.do(self._turns.typed(text, self._now_ms()))

    def _answer_results(self, question: str) -> None:
        """Answers results of tools that ran in an earlier session.

        Args:
            question: What they were called for; empty for the last question of the history.
        """
        results = self._pending.take_results()
        recorded = not question
        question = question or self._context.last_question
        now_ms = self._now_ms()
        self._conduct.do(self._turns.typed(question, now_ms, results=results, recorded=recorded))

    # What it keeps, and the time.

    def _saved(self) -> SavedSession:
        age_s = self._lifetime.age_s(self._loop.time())
        return self._context.saved(self._stream_ms(), age_s)

    async def _keep_time(self) -> None:
        while True:
            wakes_s = [
                self._lifetime.wake_at_s,
                self._resumption.wake_at_s,
                _seconds(self._turns.wake_at_ms),
            ]
            wake_at_s = min((wake for wake in wakes_s if wake is not None), default=None)
            self._conduct.decided.clear()
            try:
                async with asyncio.timeout_at(wake_at_s):
                    await self._conduct.decided.wait()
            except TimeoutError:
                # The loop may fire a timer within its clock's resolution before the time.
                now_s = max(wake_at_s or 0.0, self._loop.time())
                self._conduct.do(self._turns.tick(round(now_s * 1000)))
                self._send(*self._resumption.due(now_s, self._conduct.messages))
                match self._lifetime.due(now_s):
                    case ConnectionExpiring(time_left_s):
                        self._send(server_messages.go_away(time_left_s))
                    case ConnectionOver(code, reason):
                        raise Refused(code, reason) from None


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
