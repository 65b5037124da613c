"""One connection's conversation: joins the wire, the turn-taking and the engine.

Decides nothing itself: `client_messages` parses, `turns` decides, the engine hears and answers, and
`send_queue` sends. Nothing slow runs in the receive loop (the engine works in tasks of its own), so
a caller who cuts in is noticed at once.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vision_agent.local.api import client_messages, server_messages
from vision_agent.local.api import turn_actions as actions
from vision_agent.local.api.audio_input import AudioInput
from vision_agent.local.api.context import Context
from vision_agent.local.api.engine_port import EnginePort
from vision_agent.local.api.json_fields import Refused, as_text, field, invalid
from vision_agent.local.api.limits import SERVICE, End, GoAway, Lifetime, Limits, speech_wait_ms
from vision_agent.local.api.response_stream import ResponseStream
from vision_agent.local.api.resumption_handles import ResumptionHandles
from vision_agent.local.api.send_queue import SendQueue
from vision_agent.local.api.session_history import SavedSession
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.api.turns import Caller, Turns
from vision_agent.local.contract import Transcript, Turn

_CONTEXT_MARK = "For context:"
"""ADK hands an agent what other agents said as the user's words, marked with this."""


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
        Refused: 1007, the handle to resume is unknown or too old.
    """

    def __init__(
        self,
        setup: Setup,
        engine: EnginePort,
        handles: ResumptionHandles,
        send: Callable[[bytes], Awaitable[None]],
        user: str = "",
        limits: Limits = SERVICE,
    ) -> None:
        self._user = user
        self._limits = limits
        self.id = secrets.token_hex(16)
        self._setup = setup
        self._handles = handles
        self._loop = asyncio.get_running_loop()
        remembered = SavedSession()
        if setup.handle is not None:
            found = handles.find(setup.handle, self._loop.time())
            if found is None:
                raise invalid("Session resumption handle is not valid: unknown or expired.")
            remembered = found
        self._life = Lifetime(
            limits,
            compressed=setup.compression is not None,
            now_s=self._loop.time(),
            age_s=remembered.age_s,
        )
        self._context = Context(
            vertex=setup.endpoint.vertex, instruction=setup.instruction, remembered=remembered
        )
        self._tools = setup.tools
        self._outbox = SendQueue(send)
        self._turns = Turns(
            barge_in=setup.barge_in, tool_call_ends_turn=setup.model.tool_call_ends_turn
        )
        self._seeded = not setup.history_first
        self._unfinished_content: list[str] = []
        self._replayed_results: list[actions.ToolResult] = []
        self._answering = ResponseStream(engine, setup, self._outbox)
        self._resumable = True
        self._messages = 0
        self._group: asyncio.TaskGroup | None = None
        self._answer_task: asyncio.Task[None] | None = None
        self._decided = asyncio.Event()
        self._ears = engine.hearing(setup.hearing, setup.tools, setup.instruction)
        self._listening = AudioInput(
            setup, self._ears, self._turns, self._context, self._now_ms, self._do, self._send
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
            async with asyncio.TaskGroup() as self._group:
                standing = [
                    self._group.create_task(self._outbox.run()),
                    self._group.create_task(self._listening.run()),
                    self._group.create_task(self._keep_time()),
                ]
                self._send(server_messages.setup_complete(self.id))
                try:
                    async for raw in messages:
                        self._messages += 1
                        vertex = self._setup.endpoint.vertex
                        for message in client_messages.parse(raw, self._setup.model, vertex=vertex):
                            self._take(message)
                            # A message may hold a minute of sound, and a client a hundred such
                            # messages: the other sessions get their turn between them.
                            await asyncio.sleep(0)
                finally:
                    self._group = None
                    for task in (*standing, self._answer_task):
                        if task is not None:
                            task.cancel()
        finally:
            await self._ears.close()

    def _now_ms(self) -> int:
        return round(self._loop.time() * 1000)

    def _send(self, reply: server_messages.ServerMessage) -> None:
        self._outbox.put(server_messages.encode(reply))

    # What the client says.

    def _take(self, message: client_messages.ClientMessage) -> None:
        match message:
            case client_messages.Audio(pcm, rate_hz):
                self._listening.audio(pcm, rate_hz)
            case client_messages.Image(data):
                self._look(data)
            case client_messages.Text(text):
                self._typed(text)
            case client_messages.ClientContent():
                self._content(message)
            case client_messages.ToolResponse(results):
                for result in results:
                    self._context.tool_answered(result)
                self._do(self._turns.tools_answered(results, self._now_ms()))
            case client_messages.ActivityStart() | client_messages.ActivityEnd():
                self._listening.signalled(message)
            case client_messages.AudioStreamEnd():
                self._listening.microphone_closed()
            case client_messages.ContextUpdate(instruction, tools):
                if instruction is not None:
                    self._context.instruct(instruction)
                if tools is not None:
                    self._tools = tools

    def _look(self, image: bytes) -> None:
        at_ms = self._listening.stream_ms
        if self._setup.coverage == "ACTIVITY" and self._turns.caller is not Caller.SPEAKING:
            self._context.glimpse(image, at_ms)
        else:
            self._context.frame(image, at_ms)
        self._life.video_came()
        self._decided.set()

    def _typed(self, typed: str) -> None:
        text = typed
        if text.strip() in ("", "."):
            # What ADK sends a 3.x model after replaying history that still wants its answer.
            text = self._context.take_unanswered()
            if self._replayed_results:
                self._answer_replayed(text)
                return
        self._do(self._turns.typed(text or typed, self._now_ms(), is_activity=True))
        # Now the turn that it may have interrupted has ended: it belongs to the next one.
        self._context.text(typed)

    def _content(self, message: client_messages.ClientContent) -> None:
        seeding = not self._seeded
        if not (seeding or self._setup.model.content_any_time):
            raise invalid("Request contains an invalid argument.")
        # Content interrupts: what was being said ends before any of it counts.
        asks = message.turn_complete
        self._do(self._turns.content_added(self._now_ms(), asks=asks))
        prompt = -1
        for index, content in enumerate(message.contents):
            if content.role == "model" and content.text:
                prompt = -1
                self._replayed_results = []
            elif content.text and not content.text.startswith(_CONTEXT_MARK):
                prompt = index
                self._replayed_results = []
            self._replayed_results += content.results
        for index, content in enumerate(message.contents):
            at_ms = self._listening.stream_ms
            self._context.content(content, at_ms, is_question=index == prompt)
        if prompt >= 0:
            self._unfinished_content.append(message.contents[prompt].text)
        if not asks:
            return
        self._seeded = True
        text = " ".join(self._unfinished_content) or self._context.take_unanswered()
        self._unfinished_content = []
        if seeding and (self._setup.model.generation >= 3 or not text):
            # 3.x begins with the next real-time input; and no one begins without a question.
            self._context.settle(text, "")
        elif self._replayed_results:
            self._answer_replayed(text)
        else:
            self._do(self._turns.typed(text, self._now_ms()))

    def _answer_replayed(self, question: str) -> None:
        """Answers a question, the last one if it is none, whose tools ran in an earlier session."""
        results, self._replayed_results = tuple(self._replayed_results), []
        recorded = not question
        question = question or self._context.last_question
        now_ms = self._now_ms()
        self._do(self._turns.typed(question, now_ms, results=results, recorded=recorded))

    # What is to be done about it.

    def _do(self, to_do: Sequence[actions.Action]) -> None:
        for action in to_do:
            match action:
                case actions.Transcribe():
                    self._listening.transcribe_next()
                case actions.Answer():
                    self._begin_answer(action)
                case actions.StopAnswer():
                    if self._answer_task is not None:
                        self._answer_task.cancel()
                    self._outbox.drop_speech()
                case actions.Interrupted():
                    self._outbox.drop_speech()
                    self._listening.turn_over()
                    self._send(server_messages.interrupted())
                case actions.GenerationComplete():
                    self._listening.turn_over()
                    self._send(server_messages.generation_complete())
                case actions.TurnComplete(said_nothing, more_follows):
                    self._listening.turn_over()
                    complete = server_messages.turn_complete(
                        said_nothing=said_nothing, more_follows=more_follows
                    )
                    self._send(complete | self._context.turn_usage())
                case actions.SendFunctionCalls(calls):
                    self._send(
                        server_messages.tool_call(
                            [
                                {"id": call.id, "name": call.name, "args": dict(call.args)}
                                for call in calls
                            ]
                        )
                    )
                case actions.CancelTools(ids):
                    self._send(server_messages.tool_call_cancellation(ids))
                case actions.Settled(prompt):
                    self._settle(prompt)
                case actions.Noted(result):
                    self._context.note(result)
        self._decided.set()

    def _settle(self, prompt: Transcript | None) -> None:
        self._context.settle(prompt.text if prompt else "", self._answering.take_said())
        if self._setup.resumption:
            now_s = self._loop.time()
            at_ms = self._listening.stream_ms
            remembered = self._context.remembered(at_ms, self._life.age_s(now_s))
            self._report_resumption(self._handles.save(self.id, remembered, now_s))

    def _report_resumption(self, handle: str) -> None:
        """Tells the newest handle, or (empty) once that what goes on now is in no handle."""
        if self._setup.resumption and (handle or self._resumable):
            self._resumable = bool(handle)
            last_message = self._messages if self._setup.transparent else None
            self._send(server_messages.session_resumption_update(handle, last_message))

    async def _keep_time(self) -> None:
        while True:
            wakes_s = [self._life.wake_at_s, _seconds(self._turns.wake_at_ms)]
            wake_at_s = min((wake for wake in wakes_s if wake is not None), default=None)
            self._decided.clear()
            try:
                async with asyncio.timeout_at(wake_at_s):
                    await self._decided.wait()
            except TimeoutError:
                # The loop may fire a timer within its clock's resolution before the time.
                now_s = max(wake_at_s or 0.0, self._loop.time())
                self._do(self._turns.tick(round(now_s * 1000)))
                match self._life.due(now_s):
                    case GoAway(time_left_s):
                        self._send(server_messages.go_away(time_left_s))
                    case End(code, reason):
                        raise Refused(code, reason) from None

    # What the engine does, each in a task of the session.

    def _begin_answer(self, answer: actions.Answer) -> None:
        if self._group is None:
            return
        if not self._limits.resumable_always:
            self._report_resumption("")
        self._answer_task = self._group.create_task(self._answer(answer))

    async def _answer(self, answer: actions.Answer) -> None:
        if not answer.tool_results:
            self._context.take_glimpse()
            self._context.fit(self._setup.compression, self._limits.context_tokens)
        turn = Turn(
            answer.prompt,
            frames=self._context.frames,
            history=self._context.history,
            tools=self._tools,
            tool_results=[
                {"id": result.id, "name": result.name, "response": result.response}
                for result in answer.tool_results
            ],
            instruction=self._context.instruction,
            now_ms=self._listening.stream_ms,
            language_code=self._setup.language_code,
            proactive=self._setup.proactive,
            user=self._user,
            clock=datetime.now(),  # this machine's: nothing says where the caller is
            dialogue=self._context.dialogue,
        )
        calls = await self._answering.make(turn, _Floor(self, answer.number))
        if calls:
            self._do(self._turns.called(answer.number, calls))
        else:
            self._do(self._turns.finished(answer.number, self._now_ms()))


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


@dataclass(frozen=True, slots=True)
class _Floor:
    """What answer ``number`` tells its session (`answering.Floor`)."""

    session: Session
    number: int

    def put_out(self, audio_ms: float, text: str) -> None:
        session = self.session
        session._context.put_out(audio_ms, text)
        session._do(session._turns.spoke(self.number, audio_ms, session._now_ms()))

    def launch(self, calls: list[actions.FunctionCall]) -> None:
        self.session._do(self.session._turns.launched(self.number, calls))

    def in_background(self, tool: str) -> bool:
        session = self.session
        declared = next((t for t in session._tools if field(t, "name") == tool), {})
        behavior = as_text(field(declared, "behavior"), "behavior").upper()
        return session._setup.model.calls_in_background(behavior)

    async def until_due(self) -> None:
        session = self.session
        wait_ms = speech_wait_ms(session._limits, session._turns.heard_until_ms, session._now_ms())
        if wait_ms:
            await asyncio.sleep(wait_ms / 1000)
