"""Carries out the actions of `turns` in a session, and reports their outcome to it.

What the engine does runs in tasks of the session's group: one transcribes, one answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing

from vision_agent.local.api import server_messages, turn_messages
from vision_agent.local.api import turn_actions as actions
from vision_agent.local.api.answer_output import AnswerOutput
from vision_agent.local.api.audio_input import AudioInput
from vision_agent.local.api.context import Context
from vision_agent.local.api.limits import Limits
from vision_agent.local.api.response_stream import (
    AnswerAudio,
    AnswerCalls,
    AnswerPiece,
    AnswerText,
    ResponseStream,
)
from vision_agent.local.api.resumption import Resumption
from vision_agent.local.api.send_queue import SendQueue
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turns import Turns
from vision_agent.local.contract import Transcript

_CALLS_AGAIN_AFTER_S = 0.7
"""How long after an interruption a model makes the calls again that it cut off."""

_MOST_ENDS = 64
"""Ends of speech that are kept until their transcripts come."""


class TurnConduct:
    """The answers of a conversation, from the actions of `turns` to the sent messages.

    Args:
        setup: What the client asked for.
        turns: Decides.
        context: What the model knows.
        audio_input: Has the transcripts.
        response: Has the engine's answers.
        resumption: Makes the messages with handles.
        queue: Takes what is sent.
        limits: How much the context may hold.
        user: Whose conversation it is, if the client says so.

    Attributes:
        tools: What the model may call now.
        messages: How many messages of the client have been taken in.
        decided: Set whenever something was decided: what is waited for may have changed.
    """

    def __init__(
        self,
        setup: Setup,
        turns: Turns,
        context: Context,
        audio_input: AudioInput,
        response: ResponseStream,
        resumption: Resumption,
        queue: SendQueue,
        limits: Limits,
        user: str,
    ) -> None:
        self._setup = setup
        self._habits = setup.habits
        self._turns = turns
        self._context = context
        self._audio_input = audio_input
        self._response = response
        self._resumption = resumption
        self._queue = queue
        self._limits = limits
        self._user = user
        self._loop = asyncio.get_running_loop()
        self.tools = setup.tools
        self.messages = 0
        self.decided = asyncio.Event()
        self._ends: deque[int] = deque(maxlen=_MOST_ENDS)
        self._group: asyncio.TaskGroup | None = None
        self._answer_task: asyncio.Task[None] | None = None
        self._transcriber: asyncio.Task[None] | None = None
        self._transcribed = False

    def begin(self, group: asyncio.TaskGroup) -> None:
        """From now on there are tasks, in this group."""
        self._group = group

    def end(self) -> None:
        """Cancels the tasks; no more begin."""
        self._group = None
        for task in (self._transcriber, self._answer_task):
            if task is not None:
                task.cancel()

    def reports_end(self, at_ms: int) -> None:
        """The client wants to know of this end of speech, with its transcript."""
        self._ends.append(at_ms)

    def do(self, to_do: Sequence[actions.Action]) -> None:
        """Carries these out, in this order."""
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
        self.decided.set()

    def _settle(self, prompt: Transcript | None) -> None:
        self._context.settle(prompt.text if prompt else "")
        self._send(*self._resumption.turn_ended(self._loop.time(), self.messages))

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
                self._send(*turn_messages.input_transcript(self._setup, transcript.text, lead))
            if self._ends:
                self._send(server_messages.voice_activity("ACTIVITY_END", self._ends.popleft()))
            self.do(self._turns.transcribed(transcript))

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
        turn = self._context.turn(answer, self.tools, self._stream_ms(), self._user)
        response = self._response.filler() if answer.is_filler else self._response.answer(turn)
        async with aclosing(response) as pieces:
            async for piece in pieces:
                await self._put_out(piece, answer.number, output)
                awaits_tools = isinstance(piece, AnswerCalls) and not piece.in_background
        if not awaits_tools:
            self.do(self._turns.finished(answer.number, self._now_ms()))

    async def _put_out(self, piece: AnswerPiece, number: int, output: AnswerOutput) -> None:
        await output.put(piece)
        match piece:
            case AnswerAudio():
                self._turns.spoke(number, piece.duration_ms, self._now_ms())
            case AnswerText():
                self._turns.spoke(number, 0.0, self._now_ms())
            case AnswerCalls(calls, in_background=True):
                self.do(self._turns.launched(number, calls))
            case AnswerCalls(calls):
                self.do(self._turns.called(number, calls))

    def _before_output(self, is_call: bool) -> list[ServerMessage]:
        now_s = self._loop.time()
        return self._resumption.output_begins(now_s, self.messages, call=is_call)

    async def _send_speech(self, message: ServerMessage) -> None:
        await self._queue.put_speech(message)
        # Speech is made much faster than it is played and often without a pause; the first piece
        # is on its way before the second is made, and the receive loop gets its turn.
        await asyncio.sleep(0)

    def _send(self, *messages: ServerMessage) -> None:
        for message in messages:
            self._queue.put(message)

    def _now_ms(self) -> int:
        return round(self._loop.time() * 1000)

    def _stream_ms(self) -> int:
        return self._audio_input.stream_ms(self._now_ms())
