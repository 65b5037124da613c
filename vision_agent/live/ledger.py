"""What was said in a conversation and what of it is still owed an answer. Pure.

A model's session can be lost at any moment, and its newest resumption handle stands for the moment
it was given. The ledger knows what is not in it: so a new connection can be told what it needs to
go on, and nothing that would make it answer again what it has answered already.

Three parts, oldest to newest:

history   turns that are over, both sides, as text
open      what the model is answering or has to answer: the caller's words, its own tool calls and
          their results
later     what the caller said while an answer was already coming: next to be answered
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from google.genai import types

from vision_agent.live.recent_audio import RecentAudio

MAX_HISTORY = 200
"""Contents that are kept for a session that has to begin anew; the oldest are forgotten."""

_AFTER_TRANSCRIPT_MS = 500
"""What of the sound may belong to the next utterance when the words of one arrive."""


@dataclass(slots=True)
class _Entry:
    content: types.Content
    spoken: bool = False


@dataclass(slots=True)
class Answer:
    """What of the model's present answer has been received."""

    text: str = ""
    audio_bytes: int = 0
    whole: bool = False

    @property
    def begun(self) -> bool:
        """Whether anything of it has come."""
        return bool(self.text or self.audio_bytes)


@dataclass(slots=True)
class Replay:
    """What to tell a new connection.

    Attributes:
        handle: The session to resume; None for a new one.
        contents: In order; with a new session the history comes first. Empty: nothing to say.
        audio: Sound to send again.
    """

    handle: str | None
    contents: list[types.Content]
    audio: list[types.Blob]


@dataclass(slots=True)
class Ledger:
    """One conversation's.

    Args:
        history: What was said before this conversation's first connection; if it ends with the
            user's words, these want an answer.
    """

    history: list[types.Content] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    _open: list[_Entry] = field(default_factory=list)
    _later: list[_Entry] = field(default_factory=list)
    _calls: set[str] = field(default_factory=set)
    _lost_calls: set[str] = field(default_factory=set)
    _audio: RecentAudio = field(default_factory=RecentAudio)
    _handle: str | None = None
    _since_handle: bool = False
    _interrupted: bool = False

    def __post_init__(self) -> None:
        while self.history and self.history[-1].role == "user":
            self._open.insert(0, _Entry(self.history.pop()))

    # What the caller's side sends.

    def sent_audio(self, blob: types.Blob) -> None:
        """The caller's sound went out."""
        self._audio.add(blob)

    def sent_content(self, content: types.Content) -> bool:
        """Typed words or tool results are to go out.

        Returns:
            Whether the content itself may be sent now. If not, it answers a call that the present
            session knows nothing of: `pending` has what to send instead, if it is complete.
        """
        responses = [p.function_response for p in content.parts or [] if p.function_response]
        if not responses:
            self._add(_Entry(content))
            return True
        ids = {response.id or "" for response in responses}
        if not ids & (self._calls | self._lost_calls):
            return True  # of a call that is long over: the service ignores it, and so do we
        (self._open if self._has_call(self._open) else self._later).append(_Entry(content))
        known = not ids & self._lost_calls
        self._calls -= ids
        self._lost_calls -= ids
        return known

    @property
    def pending(self) -> list[types.Content]:
        """All that is open, if it is complete and wants an answer; else nothing."""
        if self._lost_calls or not self.owes:
            return []
        return [entry.content for entry in self._open]

    # What the model's side says.

    def received(self, message: types.LiveServerMessage) -> None:
        """A message came."""
        update = message.session_resumption_update
        # While it can't be resumed, the last handle stays good for what it stood for.
        if update and update.resumable and update.new_handle:
            self._handle, self._since_handle = update.new_handle, False
        if message.tool_call:
            for call in message.tool_call.function_calls or []:
                self._calls.add(call.id or "")
                part = types.Part(function_call=call)
                self._open.append(_Entry(types.Content(role="model", parts=[part])))
        if message.tool_call_cancellation:
            self._calls -= set(message.tool_call_cancellation.ids or [])
        if content := message.server_content:
            self._received_content(content)

    def _received_content(self, content: types.LiveServerContent) -> None:
        if (heard := content.input_transcription) and heard.text:
            self._heard(heard.text)
        if content.model_turn:
            for part in content.model_turn.parts or []:
                if part.inline_data and part.inline_data.data:
                    self.answer.audio_bytes += len(part.inline_data.data)
                elif part.text and not part.thought:
                    self.answer.text += part.text
        if (said := content.output_transcription) and said.text:
            self.answer.text += said.text
        if content.generation_complete:
            self.answer.whole = True
        if content.interrupted:
            self._interrupted = True
            self.settle()
        if content.turn_complete:
            if not self._interrupted and not self._calls:
                self.settle()
            self._interrupted = False

    def settle(self) -> None:
        """The open turn is over: it is history, and what came later is next."""
        self.history += [entry.content for entry in self._open]
        if text := self.answer.text.strip():
            part = types.Part(text=text)
            self.history.append(types.Content(role="model", parts=[part]))
        del self.history[:-MAX_HISTORY]
        if self._open or self.answer.begun:
            self._since_handle = True
        self._open, self._later = self._later, []
        self._calls.clear()
        self._lost_calls.clear()
        self.answer = Answer()
        if self._audio.utterance_ended:
            self._audio.forget()

    # What that means.

    @property
    def owes(self) -> bool:
        """Whether the model has something to answer and has not made all of its answer."""
        return bool(self._open and self._open[-1].content.role == "user" and not self.answer.whole)

    @property
    def idle(self) -> bool:
        """Whether nothing is open: a moment at which nobody would notice a new connection."""
        return not self._open and not self.answer.begun and not self._audio.worth_repeating()

    def lost(self) -> Replay:
        """The connection is gone: what the next one has to be told to go on."""
        if self.answer.whole:
            self.settle()
        self.answer = Answer()
        if not self._audio.utterance_ended:
            # Words have come of an utterance that still goes on: it is said again as a whole.
            self._open = [entry for entry in self._open if not entry.spoken]
            self._later = [entry for entry in self._later if not entry.spoken]
        audio = self._audio.worth_repeating()
        self._open += self._later
        self._later = []
        self._lost_calls |= self._calls
        self._calls.clear()
        handle = None if self._since_handle or self._lost_calls else self._handle
        contents = [] if self._lost_calls else [entry.content for entry in self._open]
        if handle is None:
            contents = [*self.history, *contents]
        return Replay(handle, contents, audio)

    def forget_handle(self) -> None:
        """The handle turned out to be void."""
        self._handle = None

    def give_up_answer(self) -> None:
        """No answer comes to what is open: it is history without one."""
        self.settle()

    def _heard(self, text: str) -> None:
        target = self._later if self.answer.begun and self._has_words(self._open) else self._open
        if target and target[-1].spoken:
            parts = target[-1].content.parts
            assert parts
            target[-1] = _spoken((parts[0].text or "") + text)
        else:
            target.append(_spoken(text))
        self._audio.forget(keep_ms=_AFTER_TRANSCRIPT_MS)

    def _add(self, entry: _Entry) -> None:
        (self._later if self.answer.begun else self._open).append(entry)

    @staticmethod
    def _has_words(entries: Sequence[_Entry]) -> bool:
        return any(entry.content.role == "user" for entry in entries)

    @staticmethod
    def _has_call(entries: Sequence[_Entry]) -> bool:
        return any(p.function_call for entry in entries for p in entry.content.parts or [])


def _spoken(text: str) -> _Entry:
    return _Entry(types.Content(role="user", parts=[types.Part(text=text)]), spoken=True)
