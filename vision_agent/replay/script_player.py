"""Plays a script in a call: speaks, types, switches and shows, and waits for the answers."""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from collections.abc import Callable, Mapping

from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.ending import QUIET_AFTER_TURN_MS, CallProgress
from vision_agent.caller.failure import CallFailed, sentence
from vision_agent.caller.media_file import BadRecording
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.recording import SOUND_RATE_HZ
from vision_agent.caller.rtvi import picture_parts, send_text
from vision_agent.caller.switching_camera import SwitchingCamera
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.transcript import CallTranscript
from vision_agent.caller.turn_signals import LEAD_S, TAIL_MS
from vision_agent.replay.caller_words import CallerWords, SpokenSound
from vision_agent.replay.prepared import PreparedActions
from vision_agent.replay.script import (
    CallScript,
    FixedScript,
    SendMessage,
    SendPicture,
    Show,
    Source,
    Speak,
    Step,
    Switch,
    TypeText,
    Wait,
)

# A server that does not announce its frames must not hold up the next step.
_SEEN_S = 3.0
# The model gets a frame a second, and none while nothing changes.
_SAMPLED_S = 1.0
# Nor must a server that does not acknowledge a picture.
_TAKEN_S = 5.0


class ScriptPlayer:
    """One script in one call that has been dialled.

    Args:
        call: The call.
        microphone: The microphone's track.
        videos: The videos' tracks; empty for a call without video.
        transcript: The messages of the server.
        received: The agent's voice.
        prepared: The media of the script.
        timeout_s: The longest wait for the end of an answer.
        in_text: The agent answers in text: no voice is waited for.
        on_state: Called with "asking", "waiting" and "answering" as they begin.
        on_progress: Called with the share that has been said, 0 to 1.
    """

    def __init__(
        self,
        call: OutgoingCall,
        microphone: MicrophoneTrack,
        videos: Mapping[Source, SwitchingCamera],
        transcript: CallTranscript,
        received: ReceivedAudio,
        prepared: PreparedActions,
        *,
        timeout_s: float,
        in_text: bool,
        on_state: Callable[[str], None],
        on_progress: Callable[[float], None],
    ) -> None:
        self._call, self._microphone, self._videos = call, microphone, videos
        self._transcript, self._received, self._prepared = transcript, received, prepared
        self._timeout_s, self._in_text = timeout_s, in_text
        self._on_state, self._on_progress = on_state, on_progress
        self._signals_turns, self._microphone_told_on = call.signals_turns, True
        self._speaking: SpokenSound | None = None
        self._said: list[CallerWords] = []
        self._begun = self._turns = 0
        self._answer_in_text = in_text
        self._answer_due = False
        self._line_id: str | None = None
        self._quiet = (0, 0)
        self._frames_before: int | None = None
        self._script: CallScript = FixedScript([])
        self._began_ms = self._step_began_ms = 0

    @property
    def words(self) -> list[CallerWords]:
        """The caller's utterances and typed lines so far, in order."""
        spoken = self._speaking.words() if self._speaking is not None else []
        return sorted([*self._said, *spoken], key=lambda each: each.start_ms)

    async def play(self, script: CallScript) -> str:
        """Play the script to its end; returns why the call is over, in words.

        Raises:
            CallFailed: The call ended first, a step can't be done, or the server refused the line
                whose answer is awaited.
        """
        self._script, self._began_ms = script, self._call.now_ms()
        self._quiet = (self._began_ms, self._began_ms)
        for video in self._videos.values():
            video.play()
        over = None
        while over != "timeout" and (step := await self._next()) is not None:
            if not step.is_timed and self._answer_due:
                over = await self._until_over()
            if over == "timeout" or not await self._until_due(step):
                return "timeout"
            await self._show_part(step)
            self._answer_due = await self._do(step) or self._answer_due
            if step.at_ms is None:
                await self._until(lambda: self._said_ms() is not None)
                if step.awaits_answer:
                    over = await self._until_over() or over
                else:
                    self._answer_due = False
        if over is None or self._answer_due:
            over = await self._call.until_over(self._awaited)
        if over != "timeout" and isinstance(script, FixedScript) and script.stays_ms:
            await self._stay(script.stays_ms)
        return over

    async def _stay(self, for_ms: int) -> None:
        """Wait `for_ms` after the beginning of the last step, and for the end of the answer."""
        until_ms = self._step_began_ms + for_ms
        await self._until(lambda: self._call.now_ms() >= until_ms)

        def is_quiet() -> bool:
            now = self._progress()
            quiet_ms = now.now_ms - max(now.silent_since_ms or 0, until_ms - QUIET_AFTER_TURN_MS)
            return not now.is_busy and quiet_ms >= QUIET_AFTER_TURN_MS

        await self._until(is_quiet, self._timeout_s)

    async def _next(self) -> Step | None:
        asking = asyncio.ensure_future(self._script.next(list(self._transcript.lines)))
        try:
            await asyncio.sleep(0)  # a list knows its next step at once
            await self._until(asking.done)
            return asking.result()
        finally:
            if not asking.done():
                asking.cancel()
                await asyncio.wait([asking])

    async def _until_due(self, step: Step) -> bool:
        """Wait until a step is to begin; returns False if the answer it waits for never began."""
        if step.at_ms is not None:
            due_ms = self._began_ms + step.at_ms
            await self._until(lambda: self._call.now_ms() >= due_ms)
        if (into_ms := step.into_answer_ms) is not None:

            def is_into_answer() -> bool:
                began_ms = self._awaited().answered_ms
                return began_ms is not None and self._call.now_ms() >= began_ms + into_ms

            return await self._until(is_into_answer, self._timeout_s)
        return True

    async def _show_part(self, step: Step) -> None:
        """Show a step's part of the recordings, and wait until the model has a frame of it."""
        if step.shown_ms is None:
            return
        begin_ms, end_ms = step.shown_ms
        before = len(self._transcript.jpeg_bytes)
        for video in self._videos.values():
            video.play_part(begin_ms / 1000, end_ms / 1000)
        await self._until(lambda: not any(each.is_ahead for each in self._videos.values()), _SEEN_S)
        if any(video.is_on for video in self._videos.values()):
            await self._until(lambda: len(self._transcript.jpeg_bytes) > before, _SAMPLED_S)

    async def _do(self, step: Step) -> bool:
        """Do what a step says; returns whether an answer to it is due."""
        self._begun += 1
        self._step_began_ms = self._call.now_ms()
        match step.action:
            case Speak():
                return await self._speak(step.action, is_one_turn=step.at_ms is None)
            case TypeText(text, spoken_answer):
                self._end_turn(TAIL_MS)
                if spoken_answer:
                    self._line_id = self._call.type(text)
                else:
                    self._line_id = uuid.uuid4().hex
                    self._call.send(send_text(self._line_id, text, spoken_answer=False))
                self._answer_in_text = self._in_text or not spoken_answer
                return self._typed(text)
            case SendMessage(message, asks):
                if not asks:
                    self._call.send(json.dumps(dict(message)))
                    return False
                self._line_id = uuid.uuid4().hex
                self._call.send(json.dumps({**message, "id": self._line_id}))
                return self._typed(asks)
            case SendPicture():
                await self._send_picture(step.action)
            case Switch("microphone", on):
                self._signals_turns = False
                self._microphone.is_on = on
                self._call.tell_switched("microphone", on)
            case Switch("camera" | "screen" as source, on):
                self._switch(source, on)
            case Show():
                await self._show(step.action)
            case Wait(seconds):
                self._be_quiet(round(seconds * 1000))
                self._answer_due = False
                await self._until(lambda: self._call.now_ms() >= self._quiet[1])
        return False

    def _typed(self, text: str) -> bool:
        self._turns += 1
        now_ms = self._call.now_ms()
        # A silent sound that goes on under the line awaits no answer, and silence that ended a
        # millisecond later would be the newest thing said instead of the line.
        self._quiet = (now_ms, now_ms)
        self._said.append(CallerWords(now_ms, now_ms, self._turns, text))
        self._on_state("asking")
        return True

    def _be_quiet(self, length_ms: int) -> None:
        now_ms = self._call.now_ms()
        self._quiet = (now_ms, now_ms + length_ms)

    async def _speak(self, action: Speak, *, is_one_turn: bool) -> bool:
        sound, spans = await self._prepared.sound(action)
        self._line_id = None
        if self._signals_turns and not self._microphone_told_on:
            self._microphone_told_on = True
            self._call.tell_switched("microphone", True)
            await asyncio.sleep(LEAD_S)
        if self._speaking is not None:
            self._said += self._speaking.words()
        self._microphone.speak(sound, spans)
        self._speaking = SpokenSound(
            spans,
            self._microphone.started_at,
            self._microphone.ended_at,
            self._call.timeline_ms,
            self._turns + 1,
            is_one_turn=is_one_turn,
        )
        self._turns += self._speaking.turns
        self._answer_in_text = self._in_text
        if not spans:
            self._be_quiet(1000 * len(sound) // SOUND_RATE_HZ)
        self._on_state("asking")
        return bool(spans)

    def _switch(self, source: Source, on: bool) -> None:
        if (video := self._videos.get(source)) is None:
            raise CallFailed(f"The call began without a {source}: it can't be switched.")
        video.switch(on)
        self._call.tell_switched(source, on)
        if on:
            self._frames_before = len(self._transcript.jpeg_bytes)

    async def _send_picture(self, action: SendPicture) -> None:
        try:
            data = await self._prepared.picture(action)
        except BadRecording as error:
            raise CallFailed(str(error)) from error
        parts = picture_parts(uuid.uuid4().hex, action.name, data)
        taken = self._transcript.responses + len(parts)
        for part in parts:
            self._call.send(part)
        # The server reads one picture at a time.
        await self._until(lambda: self._transcript.responses >= taken, _TAKEN_S)

    async def _show(self, action: Show) -> None:
        if (video := self._videos.get(action.source)) is None:
            raise CallFailed(f"The call began without a {action.source}: nothing can be shown.")
        try:
            video.show(await self._prepared.recording(action))
        except BadRecording as error:
            raise CallFailed(str(error)) from error
        if not video.is_on:
            self._switch(action.source, True)
        self._frames_before = len(self._transcript.jpeg_bytes)

    async def _until_over(self) -> str | None:
        """Wait until the last action is over; returns why its answer is over, in words."""
        if (before := self._frames_before) is not None:
            self._frames_before = None
            await self._until(lambda: len(self._transcript.jpeg_bytes) > before, _SEEN_S)
        if not self._answer_due:
            return None
        self._answer_due = False
        return await self._call.until_over(self._awaited)

    async def _until(self, condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
        def ticking() -> bool:
            self._progress()
            return condition()

        return await self._call.until(ticking, timeout_s)

    def _said_ms(self) -> int | None:
        """When all words and the silence after them had been sent; None before that."""
        if self._speaking is not None and not self._speaking.is_said:
            return None
        said_ms = max([self._quiet[1], *(each.end_ms for each in self.words)])
        return None if said_ms > self._call.now_ms() else said_ms

    def _progress(self) -> CallProgress:
        """Compute the call's progress, report it, and end a turn that is over."""
        now_ms, said_ms = self._call.now_ms(), self._said_ms()
        expects_answer = any(each.end_ms == said_ms for each in self.words)
        answered_ms = None if said_ms is None else self._received.first_after(said_ms)
        self._report_part(now_ms, is_said=said_ms is not None)
        if said_ms is not None and (expects_answer or self._quiet[1] > self._began_ms):
            self._end_turn(now_ms - said_ms)
            self._on_state("waiting" if answered_ms is None else "answering")
        return CallProgress(
            now_ms=now_ms,
            said_ms=said_ms,
            expects_answer=expects_answer,
            answered_ms=answered_ms,
            silent_since_ms=self._received.silent_since(),
            received_ms=self._received.received_ms,
            turn_complete_ms=self._transcript.turn_complete_ms,
            is_busy=self._transcript.is_busy,
            timeout_ms=round(self._timeout_s * 1000),
            in_text=self._answer_in_text,
        )

    def _awaited(self) -> CallProgress:
        """The same while an answer is waited for; raises `CallFailed` if the line was refused."""
        refused = self._transcript.refused.get(self._line_id or "")
        if refused is not None:
            raise CallFailed(sentence(refused))
        return self._progress()

    def _report_part(self, now_ms: int, *, is_said: bool) -> None:
        if not self._begun or not isinstance(self._script, FixedScript):
            return  # the length of other scripts is unknown
        part = 1.0
        if not is_said and self._speaking is not None and self._speaking.ends_at_ms:
            part = min(1.0, self._microphone.spoken_ms / self._speaking.ends_at_ms)
        elif not is_said:
            since_ms, until_ms = self._quiet
            part = (now_ms - since_ms) / max(1, until_ms - since_ms)
        self._on_progress((self._begun - 1 + part) / len(self._script.steps))

    def _end_turn(self, since_ms: int) -> None:
        """Switch the microphone off after an utterance, if that ends a turn."""
        if self._signals_turns and self._microphone_told_on and since_ms >= TAIL_MS:
            self._microphone_told_on = False
            self._call.tell_switched("microphone", False)

    @property
    def is_silent(self) -> bool:
        """Whether the agent has not begun to answer the last words."""
        return self._progress().answered_ms is None

    def too_late(self) -> str:
        """Say which turn was not answered, or not to its end."""
        state = "hasn't answered" if self.is_silent else "hasn't stopped talking"
        after = f"The agent {state} {self._timeout_s:g} s after the caller"
        if self._turns < 2:
            return f"{after} finished."
        last = self.words[-1]
        typed = "" if last.typed is None else f": {last.typed}"
        return f"{after}'s turn {last.turn}{typed}"
