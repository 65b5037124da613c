"""One connection's conversation: joins the wire, the turn-taking and the engine.

Decides nothing itself: `protocol` reads, `turns` decides, the engine hears and answers, and what
comes of it is queued in the `outbox`. Nothing slow runs in the receive loop (the engine works in
tasks of its own), so the caller is noticed cutting in whatever else is going on.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence

from vision_agent.local import protocol, replies, turns
from vision_agent.local.answering import Answering
from vision_agent.local.contract import INPUT_RATE_HZ, SpeechStarted, SpeechStopped, Turn
from vision_agent.local.engine_port import Ears, Engine
from vision_agent.local.handles import Handles
from vision_agent.local.memory import Memory
from vision_agent.local.outbox import Outbox
from vision_agent.local.session_setup import Setup
from vision_agent.local.stream_clock import StreamClock
from vision_agent.local.usage import Usage
from vision_agent.local.wire import invalid

_IN_BYTES_PER_MS = 2 * INPUT_RATE_HZ / 1000

_SILENCE = bytes(round(20 * _IN_BYTES_PER_MS))

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

    Raises:
        Refused: 1007, the handle to resume is unknown or too old.
    """

    def __init__(
        self,
        setup: Setup,
        engine: Engine,
        handles: Handles,
        send: Callable[[bytes], Awaitable[None]],
        user: str = "",
    ) -> None:
        self._user = user
        self.id = secrets.token_hex(16)
        self._setup = setup
        self._engine = engine
        self._handles = handles
        self._loop = asyncio.get_running_loop()
        remembered = None
        if setup.handle is not None:
            remembered = handles.find(setup.handle, self._loop.time())
            if remembered is None:
                raise invalid("Session resumption handle is not valid: unknown or expired.")
        self._memory = Memory(remembered)
        self._instruction = setup.instruction
        self._tools = setup.tools
        self._outbox = Outbox(send)
        self._clock = StreamClock(self._now_ms())
        self._usage = Usage(vertex=setup.endpoint.vertex)
        self._usage.text_in(setup.instruction)
        self._turns = turns.Turns(
            barge_in=setup.barge_in, tool_call_ends_turn=setup.model.tool_call_ends_turn
        )
        self._seeded = not setup.history_first
        self._unfinished_content: list[str] = []
        self._answering = Answering(engine, setup, self._outbox)
        self._speech_began_ms: int | None = None
        self._messages = 0
        self._to_hear = asyncio.Semaphore(0)
        self._group: asyncio.TaskGroup | None = None
        self._answer_task: asyncio.Task[None] | None = None
        self._decided = asyncio.Event()

    async def run(self, messages: AsyncIterable[str | bytes]) -> None:
        """Talks until the client hangs up; then every task of the session has ended.

        Args:
            messages: What the client sends after its setup.

        Raises:
            ExceptionGroup: of `Refused` (the client broke the protocol), `ClientTooSlow`, or
                whatever went wrong in the engine.
        """
        ears = self._engine.ears(
            silence_ms=self._setup.silence_ms,
            start_sensitivity=self._setup.start_sensitivity,
            end_sensitivity=self._setup.end_sensitivity,
        )
        try:
            async with asyncio.TaskGroup() as self._group:
                standing = [
                    self._group.create_task(self._outbox.run()),
                    self._group.create_task(self._transcribe(ears)),
                    self._group.create_task(self._keep_time()),
                ]
                self._send(replies.setup_complete(self.id))
                try:
                    async for raw in messages:
                        self._messages += 1
                        for message in protocol.parse(raw, self._setup.model):
                            self._take(message, ears)
                finally:
                    self._group = None
                    for task in (*standing, self._answer_task):
                        if task is not None:
                            task.cancel()
        finally:
            await ears.close()

    def _now_ms(self) -> int:
        return round(self._loop.time() * 1000)

    def _send(self, reply: replies.Reply) -> None:
        self._outbox.put(replies.encode(reply))

    # What the client says.

    def _take(self, message: protocol.ClientMessage, ears: Ears) -> None:
        match message:
            case protocol.Audio(pcm):
                self._listen(pcm, ears)
            case protocol.Image(data):
                self._look(data)
            case protocol.Text(text):
                self._typed(text)
            case protocol.ClientContent():
                self._content(message)
            case protocol.ToolResponse(results):
                for result in results:
                    self._usage.text_in(str(result["response"]))
                self._do(self._turns.tools_answered(results))
            case protocol.ActivityStart() | protocol.ActivityEnd():
                self._signalled(message, ears)
            case protocol.AudioStreamEnd():
                self._microphone_closed(ears)
            case protocol.ContextUpdate(instruction, tools):
                if instruction is not None:
                    self._instruction = instruction
                    self._usage.text_in(instruction)
                if tools is not None:
                    self._tools = tools

    def _listen(self, pcm: bytes, ears: Ears) -> None:
        duration_ms = len(pcm) / _IN_BYTES_PER_MS
        self._clock.audio(duration_ms, self._now_ms())
        if self._setup.counts_silence:
            self._usage.audio_in(duration_ms)
        if self._setup.automatic_detection:
            self._detected(ears.feed(pcm))
        elif self._turns.caller is turns.Caller.SPEAKING:
            # Outside the activity that the client signals there is nothing to hear.
            ears.feed(pcm)

    def _detected(self, events: Sequence[SpeechStarted | SpeechStopped]) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._speech_began_ms = event.at_ms
                self._report_voice("ACTIVITY_START", event.at_ms)
                self._do(self._turns.caller_started(self._now_ms()))
            else:
                self._count_speech(event.at_ms)
                self._report_voice("ACTIVITY_END", event.at_ms)
                self._do(self._turns.caller_stopped())

    def _signalled(self, signal: protocol.ActivityStart | protocol.ActivityEnd, ears: Ears) -> None:
        if self._setup.automatic_detection:
            raise invalid(
                "Explicit activity control is not supported when automatic activity detection "
                "is enabled."
            )
        at_ms = self._clock.at(self._now_ms())
        speaking = self._turns.caller is turns.Caller.SPEAKING
        if isinstance(signal, protocol.ActivityStart) and not speaking:
            self._speech_began_ms = at_ms
            ears.begin_activity()
            self._do(self._turns.caller_started(self._now_ms()))
        elif isinstance(signal, protocol.ActivityEnd) and speaking:
            self._count_speech(at_ms)
            ears.end_activity()
            self._do(self._turns.caller_stopped())

    def _microphone_closed(self, ears: Ears) -> None:
        # No more sound comes to end the utterance with, so the silence that would is made here.
        # It is not the caller's and does not move the stream's clock.
        if not self._setup.automatic_detection:
            return
        for _ in range(2 * self._setup.silence_ms // 20 + 50):
            if self._turns.caller is not turns.Caller.SPEAKING:
                return
            self._detected(ears.feed(_SILENCE))

    def _count_speech(self, ended_ms: int) -> None:
        if self._speech_began_ms is not None and not self._setup.counts_silence:
            self._usage.audio_in(max(0, ended_ms - self._speech_began_ms))
        self._speech_began_ms = None

    def _report_voice(self, kind: str, at_ms: int) -> None:
        if self._setup.voice_activity:
            self._send(replies.voice_activity(kind, at_ms))

    def _look(self, image: bytes) -> None:
        self._usage.image_in()
        self._memory.saw(image, self._clock.at(self._now_ms()))

    def _typed(self, text: str) -> None:
        self._usage.text_in(text)
        if text.strip() in ("", "."):
            # What ADK sends a 3.x model after replaying history that still wants its answer.
            text = self._memory.take_unanswered() or text
        self._do(self._turns.typed(text, self._now_ms(), is_activity=True))

    def _content(self, message: protocol.ClientContent) -> None:
        seeding = not self._seeded
        if not (seeding or self._setup.model.content_any_time):
            raise invalid("Request contains an invalid argument.")
        prompt = -1
        for index, content in enumerate(message.contents):
            self._usage.text_in(content.text)
            for image in content.images:
                self._look(image)
            if content.role == "model" and content.text:
                prompt = -1
            elif content.text and not content.text.startswith(_CONTEXT_MARK):
                prompt = index
        for index, content in enumerate(message.contents):
            if index != prompt:
                self._memory.said(content.role, content.text)
        if prompt >= 0:
            self._unfinished_content.append(message.contents[prompt].text)
        if not message.turn_complete:
            self._do(self._turns.content_added(self._now_ms()))
            return
        self._seeded = True
        text = " ".join(self._unfinished_content) or self._memory.take_unanswered()
        self._unfinished_content = []
        if seeding and (self._setup.model.generation >= 3 or not text):
            # 3.x begins with the next real-time input; and no one begins without a question.
            self._memory.said("user", text)
        else:
            self._do(self._turns.typed(text, self._now_ms()))

    # What is to be done about it.

    def _do(self, actions: Sequence[turns.Action]) -> None:
        for action in actions:
            match action:
                case turns.Transcribe():
                    self._to_hear.release()
                case turns.Answer():
                    self._begin_answer(action)
                case turns.StopAnswer():
                    if self._answer_task is not None:
                        self._answer_task.cancel()
                    self._outbox.drop_speech()
                case turns.Interrupted():
                    self._outbox.drop_speech()
                    self._send(replies.interrupted())
                case turns.GenerationComplete():
                    self._send(replies.generation_complete())
                case turns.TurnComplete():
                    self._send(self._usage.turn())
                    self._send(replies.turn_complete())
                case turns.CallTools(calls):
                    self._send(
                        replies.tool_call(
                            [
                                {"id": call.id, "name": call.name, "args": dict(call.args)}
                                for call in calls
                            ]
                        )
                    )
                case turns.CancelTools(ids):
                    self._send(replies.tool_call_cancellation(ids))
                case turns.Settled(prompt):
                    self._settle(prompt)
        self._decided.set()

    def _settle(self, prompt: turns.Prompt) -> None:
        self._memory.said("user", prompt.text)
        self._memory.said("model", self._answering.take_said())
        if self._setup.resumption:
            remembered = self._memory.snapshot(self._clock.at(self._now_ms()))
            handle = self._handles.save(self.id, remembered, self._loop.time())
            self._send(
                replies.session_resumption_update(
                    handle, self._messages if self._setup.transparent else None
                )
            )

    async def _keep_time(self) -> None:
        while True:
            wake_at_ms = self._turns.wake_at_ms
            self._decided.clear()
            try:
                async with asyncio.timeout_at(None if wake_at_ms is None else wake_at_ms / 1000):
                    await self._decided.wait()
            except TimeoutError:
                # The loop may fire a timer within its clock's resolution before the time.
                self._do(self._turns.tick(max(wake_at_ms or 0, self._now_ms())))

    # What the engine does, each in a task of the session.

    async def _transcribe(self, ears: Ears) -> None:
        while True:
            await self._to_hear.acquire()
            heard = await ears.heard()
            if heard.text and self._setup.input_transcription:
                self._send(replies.input_transcription(heard.text))
            self._do(
                self._turns.heard(
                    turns.Prompt(heard.text, heard.understood, spoken=True, manner=heard.manner)
                )
            )

    def _begin_answer(self, action: turns.Answer) -> None:
        if self._group is not None:
            self._answer_task = self._group.create_task(self._answer(action))

    async def _answer(self, action: turns.Answer) -> None:
        turn = Turn(
            text=action.prompt.text,
            understood=action.prompt.understood,
            spoken=action.prompt.spoken,
            frames=self._memory.frames,
            history=self._memory.history,
            tools=self._tools,
            tool_results=action.tool_results,
            instruction=self._instruction,
            now_ms=self._clock.at(self._now_ms()),
            language_code=self._setup.language_code,
            manner=action.prompt.manner,
            proactive=self._setup.proactive,
            affective=self._setup.affective,
            user=self._user,
        )

        def put_out(audio_ms: float, text: str) -> None:
            self._usage.answered(audio_ms=audio_ms, text=text)
            self._do(self._turns.spoke(action.number, audio_ms, self._now_ms()))

        calls = await self._answering.make(turn, put_out)
        if calls:
            self._do(self._turns.called(action.number, calls, self._now_ms()))
        else:
            self._do(self._turns.finished(action.number, self._now_ms()))
