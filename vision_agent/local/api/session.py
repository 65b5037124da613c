"""One connection's conversation: joins the wire, the turn-taking and the engine.

Decides nothing itself: `client_messages` parses, `turns` decides, the engine hears and answers, and
`send_queue` sends. The session acts on what they return; none of them calls back. The engine works
in tasks of its own, so the receive loop notices a caller who cuts in at once.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing

from vision_agent.local import adk_dialect
from vision_agent.local.api import client_messages, server_messages, turn_messages
from vision_agent.local.api import turn_actions as actions
from vision_agent.local.api.answer_output import AnswerOutput
from vision_agent.local.api.audio_input import AudioInput, SpeechEvent
from vision_agent.local.api.context import Context
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.json_fields import INVALID_ARGUMENT, Refused, invalid
from vision_agent.local.api.lifetime import ConnectionExpiring, ConnectionOver, SessionLifetime
from vision_agent.local.api.limits import SERVICE, Limits
from vision_agent.local.api.pending_content import PendingContent
from vision_agent.local.api.response_stream import (
    AnswerAudio,
    AnswerCalls,
    AnswerPiece,
    AnswerText,
    ResponseStream,
)
from vision_agent.local.api.resumption import Resumption
from vision_agent.local.api.resumption_handles import ResumptionHandles
from vision_agent.local.api.send_queue import SendQueue
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.session_history import SavedSession
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turn_states import Caller, Floor
from vision_agent.local.api.turns import Turns
from vision_agent.local.contract import SpeechStarted, Transcript

_CALLS_AGAIN_AFTER_S = 0.7
"""How long after an interruption a model makes the calls again that it cut off."""

_MOST_ENDS = 64
"""Ends of speech that are kept until their transcripts come."""


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
        self._user = user
        self._limits = limits
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
        self._tools = setup.tools
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
        self._response = ResponseStream(engine, setup)
        hearing = engine.hearing(setup.hearing, setup.tools, setup.instruction)
        self._audio_input = AudioInput(setup, hearing, self._now_ms())
        self._ends: deque[int] = deque(maxlen=_MOST_ENDS)
        self._messages = 0
        self._group: asyncio.TaskGroup | None = None
        self._answer_task: asyncio.Task[None] | None = None
        self._transcriber: asyncio.Task[None] | None = None
        self._transcribed = False
        self._decided = asyncio.Event()

    async def run(self, messages: AsyncIterable[str | bytes]) -> None:
        """Talks until the client hangs up; then every task of the session has ended.

        Args:
            messages: What the client sends after its setup.

        Raises:
            ExceptionGroup: of `Refused` (the client broke the protocol), `ClientTooSlow`, or
                whatever went wrong in the engine.
        """
        try:
            async with asyncio.TaskGroup() as self._group:
                sending = self._group.create_task(self._queue.run())
                timing = self._group.create_task(self._keep_time())
                named = self.id if self._habits.session_id else None
                self._send(server_messages.setup_complete(named))
                try:
                    async for raw in messages:
                        self._messages += 1
                        for message in client_messages.parse(
                            raw, self._setup.model, self._setup.endpoint, self._habits
                        ):
                            self._take(message)
                            # A message may hold a minute of sound, and a client a hundred such
                            # messages: the other sessions get their turn between them.
                            await asyncio.sleep(0)
                finally:
                    self._group = None
                    for task in (sending, timing, self._transcriber, self._answer_task):
                        if task is not None:
                            task.cancel()
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
                self._decided.set()
            case client_messages.Text(text):
                self._typed(text)
            case client_messages.ClientContent():
                self._content(message)
            case client_messages.ToolResponse(results):
                for result in results:
                    self._context.tool_answered(result, self._stream_ms())
                later = self._pending.is_unfinished and self._turns.floor is Floor.WAITING_FOR_TOOL
                self._pending.answered(results, later=later)
                self._do(self._turns.tools_answered(results, now_ms, later=later))
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
                    self._tools = tools

    def _detected(self, events: Sequence[SpeechEvent]) -> None:
        """Speech that the server found in the sound, which the client may want to know.

        Its end is reported with its transcript.
        """
        for event in events:
            if self._setup.voice_activity and isinstance(event, SpeechStarted):
                self._send(server_messages.voice_activity("ACTIVITY_START", event.at_ms))
            elif self._setup.voice_activity:
                self._ends.append(event.at_ms)
            self._speech([event])

    def _speech(self, events: Sequence[SpeechEvent]) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._context.speech_started(event.at_ms)
                self._do(self._turns.caller_started(self._now_ms()))
            else:
                self._context.speech_stopped(event.at_ms)
                self._do(self._turns.caller_stopped())

    def _typed(self, typed: str) -> None:
        text = typed
        if adk_dialect.asks_for_answer(typed):
            text = self._context.take_unanswered()
            if self._pending.has_results:
                self._answer_results(text)
                return
        self._do(self._turns.typed(text or typed, self._now_ms(), is_activity=True))
        # Now the turn that it may have interrupted has ended: it belongs to the next one.
        self._context.text(typed)

    def _content(self, message: client_messages.ClientContent) -> None:
        seeding = not self._seeded
        if not (seeding or self._habits.content_any_time):
            raise invalid(INVALID_ARGUMENT)
        asks = message.turn_complete
        if asks or self._habits.unfinished_content_interrupts:
            # The current answer ends before any of the content counts.
            self._do(self._turns.content_added(self._now_ms(), asks=asks))
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
            self._do(self._turns.typed(text, self._now_ms()))

    def _answer_results(self, question: str) -> None:
        """Answers results of tools that ran in an earlier session.

        Args:
            question: What they were called for; empty for the last question of the history.
        """
        results = self._pending.take_results()
        recorded = not question
        question = question or self._context.last_question
        now_ms = self._now_ms()
        self._do(self._turns.typed(question, now_ms, results=results, recorded=recorded))

    # The actions of `turns`.

    def _do(self, to_do: Sequence[actions.Action]) -> None:
        for action in to_do:
            match action:
                case actions.Transcribe():
                    self._start_transcribing()
                case actions.BeginAnswer():
                    self._begin_answer(action)
                case actions.StopAnswer():
                    if self._answer_task is not None:
                        self._answer_task.cancel()
                    self._queue.drop_speech()
                case actions.Interrupted(unplayed_ms):
                    self._queue.drop_speech()
                    self._context.cut_off(unplayed_ms)
                    self._transcribed = False
                    self._send(server_messages.interrupted())
                case actions.GenerationComplete():
                    self._transcribed = False
                    self._send(server_messages.generation_complete())
                case actions.TurnComplete():
                    self._transcribed = False
                    usage = self._context.turn_usage()
                    if self._habits.completes_turns:
                        self._send(turn_messages.turn_complete(self._setup, action) | usage)
                case actions.SendFunctionCalls(calls):
                    self._send(*turn_messages.tool_call(self._setup, calls))
                case actions.CancelTools(ids):
                    self._send(server_messages.tool_call_cancellation(ids))
                case actions.Settled(prompt):
                    self._settle(prompt)
                case actions.Noted(result):
                    self._context.note(result)
        self._decided.set()

    def _settle(self, prompt: Transcript | None) -> None:
        self._context.settle(prompt.text if prompt else "")
        self._send(*self._resumption.turn_ended(self._loop.time(), self._messages))

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
            self._decided.clear()
            try:
                async with asyncio.timeout_at(wake_at_s):
                    await self._decided.wait()
            except TimeoutError:
                # The loop may fire a timer within its clock's resolution before the time.
                now_s = max(wake_at_s or 0.0, self._loop.time())
                self._do(self._turns.tick(round(now_s * 1000)))
                self._send(*self._resumption.due(now_s, self._messages))
                match self._lifetime.due(now_s):
                    case ConnectionExpiring(time_left_s):
                        self._send(server_messages.go_away(time_left_s))
                    case ConnectionOver(code, reason):
                        raise Refused(code, reason) from None

    # What the engine does, each in a task of the session.

    def _start_transcribing(self) -> None:
        if self._group is not None and (self._transcriber is None or self._transcriber.done()):
            self._transcriber = self._group.create_task(self._transcribe())

    async def _transcribe(self) -> None:
        """Transcribes one utterance after the other until none is due."""
        while self._turns.transcripts_due:
            transcript = await self._audio_input.transcript()
            if transcript.text and self._setup.input_transcription:
                # Clients join a turn's transcripts as they come.
                lead = " " if self._transcribed else ""
                self._transcribed = True
                self._send(*turn_messages.heard(self._setup, transcript.text, lead))
            if self._ends:
                self._send(server_messages.voice_activity("ACTIVITY_END", self._ends.popleft()))
            self._do(self._turns.transcribed(transcript))

    def _begin_answer(self, answer: actions.BeginAnswer) -> None:
        if self._group is None:
            return
        self._send(*self._resumption.answer_begins())
        self._answer_task = self._group.create_task(self._answer(answer))

    async def _answer(self, answer: actions.BeginAnswer) -> None:
        output = AnswerOutput(self._setup, self._context, self._send_speech, self._before_output)
        if answer.calls_again:
            await asyncio.sleep(_CALLS_AGAIN_AFTER_S)
            again = AnswerCalls(self._response.again(answer.calls_again), in_background=False)
            await self._put_out(again, answer.number, output)
            return
        self._context.answer_begins(answer)
        if not answer.tool_results:
            self._context.fit(self._setup.compression, self._limits.context_tokens)
        # What comes after a tool's result is a sentence of its own.
        self._context.caption_out(" ")
        awaits_tools = False
        turn = self._context.turn(answer, self._tools, self._stream_ms(), self._user)
        response = self._response.filler() if answer.is_filler else self._response.answer(turn)
        async with aclosing(response) as pieces:
            async for piece in pieces:
                await self._put_out(piece, answer.number, output)
                awaits_tools = isinstance(piece, AnswerCalls) and not piece.in_background
        if not awaits_tools:
            self._do(self._turns.finished(answer.number, self._now_ms()))

    async def _put_out(self, piece: AnswerPiece, number: int, output: AnswerOutput) -> None:
        await output.put(piece)
        match piece:
            case AnswerAudio():
                self._turns.spoke(number, piece.duration_ms, self._now_ms())
            case AnswerText():
                self._turns.spoke(number, 0.0, self._now_ms())
            case AnswerCalls(calls, in_background=True):
                self._do(self._turns.launched(number, calls))
            case AnswerCalls(calls):
                self._do(self._turns.called(number, calls))

    def _before_output(self, is_call: bool) -> list[ServerMessage]:
        now_s = self._loop.time()
        return self._resumption.output_begins(now_s, self._messages, call=is_call)

    async def _send_speech(self, message: ServerMessage) -> None:
        await self._queue.put_speech(message)
        # Speech is made much faster than it is played and often without a pause; the first piece
        # is on its way before the second is made, and the receive loop gets its turn.
        await asyncio.sleep(0)


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
