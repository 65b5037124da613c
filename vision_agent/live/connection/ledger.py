"""The conversation so far, and which part of it still awaits an answer. Pure.

A model's session can be lost at any moment, and its newest resumption handle covers the
conversation up to the moment it was issued. The ledger records what the handle does not cover, so
that the next connection receives what it needs to continue, and nothing that it would answer a
second time.

Three parts, oldest to newest:

history   finished turns of both sides: words, and tool calls with their results
open      what the model is answering or has to answer: the caller's words, tool results
later     what arrived while an answer was already being given: to be answered next

A tool call belongs to the session that made it. Once that session is lost, the next one receives
the call as conversation, and the result can only be sent as conversation as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.genai import types

from vision_agent.live.connection.handle_coverage import HandleCoverage
from vision_agent.live.connection.received_answer import ReceivedAnswer
from vision_agent.live.connection.recent_audio import RecentAudio
from vision_agent.live.media import with_newest_media, without_media
from vision_agent.live.turn_status import goes_on

MAX_HISTORY = 200
"""Contents kept for a session that cannot be resumed; the oldest are dropped."""

MAX_CALLS = 500
"""Tool calls that are remembered; the oldest are dropped."""

_AFTER_TRANSCRIPT_MS = 500
"""Newest sound kept when a transcript arrives: it may belong to the next utterance."""

_NO_ANSWER = "…"


@dataclass(slots=True)
class _Entry:
    """A content of the conversation; `sent` is whether the present session has received it."""

    content: types.Content
    spoken: bool = False
    sent: bool = True


@dataclass(slots=True)
class Replay:
    """What a new connection is sent.

    Attributes:
        handle: The session to resume; None for a new one.
        contents: In order; first the history that the session does not know. May be empty.
        audio: Sound that is sent again.
        asked: How many of the contents, at the end, await an answer.
    """

    handle: str | None
    contents: list[types.Content]
    audio: list[types.Blob]
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a content is sent to the present session.

    Attributes:
        direct: Sent unchanged; None if the model does not want it (any more).
        conversation: Sent as conversation, because the present session has not received it yet.
    """

    direct: types.Content | None
    conversation: list[types.Content] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """The ledger of one conversation.

    Args:
        history: What was said before the first connection; user content at its end is a question
            that awaits an answer.
        coverage: The resumption handle, and what it covers.
    """

    history: list[types.Content] = field(default_factory=list)
    coverage: HandleCoverage = field(default_factory=HandleCoverage)
    answer: ReceivedAnswer = field(default_factory=ReceivedAnswer)
    _open: list[_Entry] = field(default_factory=list)
    _later: list[_Entry] = field(default_factory=list)
    _calls: dict[str, None] = field(default_factory=dict)
    _session_calls: dict[str, None] = field(default_factory=dict)
    _taken: dict[str, None] = field(default_factory=dict)
    _lost_calls: dict[str, None] = field(default_factory=dict)
    _cancelled: dict[str, None] = field(default_factory=dict)
    _audio: RecentAudio = field(default_factory=RecentAudio)
    _voiced: bool = False
    _interrupted: bool = False
    _goes_on: bool = False

    def __post_init__(self) -> None:
        while self.history and self.history[-1].role == "user":
            self._open.insert(0, _Entry(self.history.pop()))

    # From the caller's side.

    def sent_audio(self, blob: types.Blob) -> None:
        """A chunk of the caller's sound was sent: s16le mono 16 kHz."""
        if self._audio.add(blob):
            self._voiced = True

    def sent_content(self, content: types.Content) -> Delivery:
        """Typed words or tool results are about to be sent; returns how."""
        parts = content.parts or []
        if not any(part.function_response for part in parts):
            (self._later if self.answer.begun else self._open).append(_Entry(content))
            return Delivery(content)
        # Each result is cancelled, belongs to this session, or belongs to a lost one.
        wanted = [part for part in parts if _key(part) not in self._cancelled]
        known = [part for part in wanted if _key(part) in self._session_calls]
        lost = [part for part in wanted if _key(part) not in self._session_calls]
        for part in wanted:
            self._calls.pop(_key(part), None)
            self._lost_calls.pop(_key(part), None)
        if known:
            self._answered(_Entry(types.Content(role=content.role, parts=known)))
        if lost:
            entry = _Entry(types.Content(role=content.role, parts=lost), sent=False)
            (self._later if self.answer.begun else self._open).append(entry)
        direct = types.Content(role=content.role, parts=known) if known else None
        return Delivery(direct, self._now_complete())

    def sent_context(self, content: types.Content) -> None:
        """Words that want no answer were sent; the newest handle does not cover them."""
        self._remember([content])

    def _answered(self, entry: _Entry) -> None:
        """A tool result goes to the session that made the call."""
        responses = [p.function_response for p in entry.content.parts or [] if p.function_response]
        if all(r.scheduling is types.FunctionResponseScheduling.SILENT for r in responses):
            self._remember([without_media(entry.content)])
        elif self.answer.begun and not self._called_in(self._open):
            self._later.append(entry)
        else:
            self._open.append(entry)

    def _now_complete(self) -> list[types.Content]:
        """Results that were held back until all results of their call had arrived."""
        complete = [e for e in (*self._open, *self._later) if not e.sent and not self._waits(e)]
        for entry in complete:
            entry.sent = True
        return [entry.content for entry in complete]

    # From the model's side.

    def passed_on(self, content: types.Content) -> None:
        """ADK has received this content: the tools that it calls will run."""
        for part in content.parts or []:
            if part.function_call:
                self._taken[_key(part)] = None
        _trim(self._taken)

    def received(self, message: types.LiveServerMessage, played: str | None = None) -> None:
        """A message of the model has arrived.

        Args:
            message: The message.
            played: If it interrupts the present answer, the words of it that have been played; None
                keeps all the words received.
        """
        update = message.session_resumption_update
        # While a session is not resumable, its last handle stays valid for what it covers.
        if update and update.resumable and update.new_handle:
            self.coverage.issued(update.new_handle)
        if content := message.server_content:
            self._received_content(content, played)
        if message.tool_call and (calls := message.tool_call.function_calls):
            self._called(calls)
        if message.tool_call_cancellation:
            self._cancel(message.tool_call_cancellation.ids or [])

    def _called(self, calls: Sequence[types.FunctionCall]) -> None:
        self.coverage.understood()
        if text := self.answer.text.strip():
            # After the result the model continues with a new answer.
            self._open.append(_Entry(_said(text)))
        self.answer = ReceivedAnswer()
        parts = [types.Part(function_call=call) for call in calls]
        self._open.append(_Entry(types.Content(role="model", parts=parts)))
        for part in parts:
            self._calls[_key(part)] = self._session_calls[_key(part)] = None
        _trim(self._session_calls)

    def _cancel(self, ids: Iterable[str]) -> None:
        for call_id in ids:
            self._cancelled[call_id] = None
        _trim(self._cancelled)
        self._forget_calls(self._cancelled)

    def _forget_calls(self, keys: dict[str, None]) -> None:
        """Drop calls that never get a result: another session would wait for it."""

        def stays(content: types.Content) -> bool:
            calls = [part for part in content.parts or [] if part.function_call]
            return not calls or any(_key(part) not in keys for part in calls)

        for key in keys:
            self._calls.pop(key, None)
        self._open = [entry for entry in self._open if stays(entry.content)]
        for told in (self.history, self.coverage.beyond):
            told[:] = [content for content in told if stays(content)]

    def _received_content(self, content: types.LiveServerContent, played: str | None) -> None:
        if (spoken := content.input_transcription) and spoken.text:
            self._transcribed(spoken.text)
        before = self.answer.begun
        if content.model_turn:
            for part in content.model_turn.parts or []:
                if part.inline_data and part.inline_data.data:
                    self.answer.audio_bytes += len(part.inline_data.data)
                elif part.text and not part.thought:
                    self.answer.text += part.text
        if (said := content.output_transcription) and said.text:
            self.answer.text += said.text
        if self.answer.begun and not before:
            self.coverage.understood()
            if self._audio.utterance_ended:
                self._voiced = False
        if content.generation_complete:
            self.answer.whole = True
        if content.interrupted:
            self._interrupted, self._goes_on = True, False
            if played is not None:
                self.answer.text = played
            self.settle()
        if content.turn_complete:
            self._goes_on = goes_on(content) and not self._interrupted
            if self._goes_on:
                self.answer.whole = False
            elif not self._interrupted:
                self.settle()
            self._interrupted = False

    def settle(self) -> None:
        """The open turn is over and becomes history; what arrived later is open now.

        A result that is held back stays open: no session has received it yet.
        """
        over = [without_media(entry.content) for entry in self._open if entry.sent]
        if text := self.answer.text.strip():
            over.append(_said(text))
        if over or self.answer.begun:
            self._remember(over)
        self._open = [entry for entry in self._open if not entry.sent] + self._later
        self._later = []
        self.answer = ReceivedAnswer()
        if self._audio.utterance_ended:
            self._audio.forget()
            self._voiced = False

    def _remember(self, contents: list[types.Content]) -> None:
        self.history += contents
        del self.history[:-MAX_HISTORY]
        self.coverage.settled(contents, keep=MAX_HISTORY)

    # What follows from it.

    @property
    def owes(self) -> bool:
        """Whether something awaits an answer that is not generated, and not announced either."""
        roles = [entry.content.role for entry in self._open if entry.sent]
        return roles[-1:] == ["user"] and not (self.answer.whole or self._goes_on)

    @property
    def thinks(self) -> bool:
        """Whether the model has said that its answer goes on."""
        return self._goes_on

    @property
    def quiet(self) -> bool:
        """Whether nothing is open and the caller is silent: a reconnection cuts nothing off."""
        return self._audio.utterance_ended and not (self._open or self._calls or self.answer.begun)

    @property
    def idle(self) -> bool:
        """Whether a reconnection would go unnoticed now: no sound has to be sent again either."""
        return self.quiet and not self._audio.worth_repeating()

    @property
    def resumable(self) -> bool:
        """Whether the newest handle covers the whole conversation."""
        return self.coverage.handle is not None and self.coverage.whole

    def lost(self) -> Replay:
        """The connection is lost; returns what the next one has to be sent."""
        if self.answer.whole:
            self.settle()
        self.answer = ReceivedAnswer()
        self._interrupted = self._goes_on = False
        if not self._audio.utterance_ended:
            # The utterance is still going on: its sound is sent again, so its words must not be.
            self._open = [entry for entry in self._open if not entry.spoken]
            self._later = [entry for entry in self._later if not entry.spoken]
        audio = self._audio.worth_repeating()
        self._open += self._later
        self._later = []
        # ADK holds some calls back until the end of a turn: these will not run.
        self._forget_calls({key: None for key in self._calls if key not in self._taken})
        self._lost_calls |= self._calls
        _trim(self._lost_calls)
        self._calls.clear()
        self._session_calls.clear()
        for entry in self._open:
            entry.sent = not self._waits(entry)
        handle = None if self._lost_calls else self.coverage.resumes(self.history)
        told = self.history if handle is None else self.coverage.beyond
        contents = with_newest_media([entry.content for entry in self._open if entry.sent])
        asked = len(contents)
        if told and not contents and told[-1].role == "user":
            # The last question was never answered, and is not to be answered now.
            contents = [_said(_NO_ANSWER)]
        self.coverage.told(told)
        return Replay(handle, [*told, *contents], audio, asked)

    def forget_handle(self) -> None:
        """The service has refused the handle."""
        self.coverage.refused()

    def give_up_answer(self) -> None:
        """The model does not answer what is open: it becomes history without an answer."""
        self.settle()

    def _waits(self, entry: _Entry) -> bool:
        """Whether it is a result of a lost call whose other results are still missing."""
        keys = {_key(part) for part in entry.content.parts or [] if part.function_response}
        if not keys or not self._lost_calls:
            return False
        for content in (*self.history, *(other.content for other in self._open)):
            calls = {_key(part) for part in content.parts or [] if part.function_call}
            if calls & keys and calls & self._lost_calls.keys():
                return True
        return False

    def _transcribed(self, text: str) -> None:
        answering = self.answer.begun
        if not (self._voiced or answering or self._open):
            # The transcript of a question arrives after its answer.
            for told in (self.history, *([self.coverage.beyond] if self.coverage.beyond else [])):
                answered = bool(told) and told[-1].role == "model"
                told.insert(len(told) - answered, _words(text.lstrip()))
            return
        over = answering and self._voiced and self._has_words(self._open)
        target = self._later if over else self._open
        if target and target[-1].spoken:
            parts = target[-1].content.parts
            assert parts
            target[-1] = _Entry(_words((parts[0].text or "") + text), spoken=True)
        else:
            target.append(_Entry(_words(text.lstrip()), spoken=True))
        self._audio.forget(keep_ms=_AFTER_TRANSCRIPT_MS)

    @staticmethod
    def _has_words(entries: Sequence[_Entry]) -> bool:
        return any(entry.content.role == "user" for entry in entries)

    @staticmethod
    def _called_in(entries: Sequence[_Entry]) -> bool:
        return any(p.function_call for entry in entries for p in entry.content.parts or [])


def _key(part: types.Part) -> str:
    """What a call and its result share: the id, or the name, as Vertex AI sends no id."""
    found = part.function_call or part.function_response
    return (found.id or f"name:{found.name}") if found else ""


def _words(text: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=text)])


def _said(text: str) -> types.Content:
    return types.Content(role="model", parts=[types.Part(text=text)])


def _trim(keys: dict[str, None]) -> None:
    while len(keys) > MAX_CALLS:
        del keys[next(iter(keys))]
