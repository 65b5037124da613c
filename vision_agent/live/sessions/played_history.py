"""An ADK session keeps the words of an interrupted answer that were played.

ADK appends the transcript of an answer once the model has generated all of it, long before it has
been played, and no session service can take an event back. This plugin therefore holds the
transcript back, as a partial event, which ADK does not append. The event that ends the turn carries
the words: all of them with `turn_complete`, the played ones with `interrupted`. A plugin gets every
event before the session service, so this works with any session service.

A line that the caller types meanwhile is appended at once, before the answer that it cuts off.
Events with words therefore carry the time at which the words began, and `history` orders them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from google.adk.agents.invocation_context import InvocationContext
from google.adk.events.event import Event
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.runners import Runner
from google.genai import types

from vision_agent.live.model_scope import model_scope
from vision_agent.live.played import played_on, with_began, with_played
from vision_agent.live.replaced_answer import replacement
from vision_agent.live.turn_status import goes_on

NAME = "played_history"

Rest = Literal["unwanted", "owed", "open"]
"""The fate of an answer during which a call ends. `unwanted`: the caller hung up on it. `owed`: the
caller is asked to come back, and then gets the answer. `open`: the played words are kept, and an
answer that the model had not generated completely is given to a caller who comes back."""


class PlayedHistoryPlugin(BasePlugin):
    """Holds answers back until it is known which words were played.

    Install it last: ADK stops at the first plugin that replaces an event.
    """

    def __init__(self) -> None:
        super().__init__(NAME)
        self._held: dict[str, Event] = {}
        self._answered_at: dict[str, float] = {}
        self._spoken_at: dict[str, float] = {}

    async def on_event_callback(
        self, *, invocation_context: InvocationContext, event: Event
    ) -> Event | None:
        """Hold transcripts back, and let the end of the turn carry them."""
        session_id = invocation_context.session.id
        if event.input_transcription and event.input_transcription.text:
            began_s = self._spoken_at.setdefault(session_id, event.timestamp)
            if event.partial:
                return None
            del self._spoken_at[session_id]
            return _changed(event, with_began(event, began_s))
        if session_id not in self._answered_at and _answers(event):
            self._answered_at[session_id] = event.timestamp
        said = event.output_transcription
        if said and said.finished and said.text and not event.partial:
            if before := self._held.get(session_id):
                event = _with_words(event, f"{_words(before)} {said.text.lstrip()}")
            self._held[session_id] = event
            return event.model_copy(update={"partial": True})
        ends = event.turn_complete and not goes_on(event)
        if not (ends or event.interrupted or event.get_function_calls()):
            if event.partial or not _has_text(event):
                return None
            return _changed(event, with_began(event, self._answered_at.get(session_id)))
        answered_at = self._answered_at.get(session_id)
        held = self.take(session_id)
        if replacement(event) is not None:
            return None
        return _changed(event, with_began(self._ended(event, held), answered_at))

    def _ended(self, event: Event, held: Event | None) -> Event:
        """The event that ends an answer, or a part of one, with the words of it that are kept."""
        if event.interrupted:
            event = _asked(event)
            played = played_on(event)
            kept = _words(held) if held and played is None else played
            return _with_words(event, kept) if held and kept else event
        if held is None:
            return event
        if event.turn_complete:
            return _with_words(event, _words(held))
        # Before the tool calls, as in ADK: the calls and their results must stay together.
        content = event.content or types.Content(role="model")
        parts = [types.Part(text=_words(held)), *(content.parts or [])]
        return event.model_copy(update={"content": types.Content(role=content.role, parts=parts)})

    def take(self, session_id: str) -> Event | None:
        """The transcript held back for a session; None if there is none. The answer is over."""
        self._answered_at.pop(session_id, None)
        return self._held.pop(session_id, None)

    def end(self, session_id: str) -> tuple[Event | None, float | None]:
        """The transcript held back for a session that is over, and when its answer began."""
        self._spoken_at.pop(session_id, None)
        began_s = self._answered_at.get(session_id)
        return self.take(session_id), began_s


async def settle(
    runner: Runner, user_id: str, session_id: str, *, played: str | None, rest: Rest
) -> bool:
    """Append the played words of the answer during which a call ended.

    ADK notifies plugins of the end of a run, but not of a run that is closed from outside.

    Args:
        runner: ADK's runner.
        user_id: ADK's user.
        session_id: The session.
        played: The words of the answer that were played; None keeps all of them.
        rest: The answer's fate. Of an unwanted answer only the played words count, even if the
            model had not generated all of it.

    Returns:
        Whether the model's own session is outdated: it still owes an answer that this has ended, or
        has given an answer that is still owed.
    """
    plugin = runner.plugin_manager.get_plugin(NAME)
    held, began_s = None, None
    if isinstance(plugin, PlayedHistoryPlugin):
        held, began_s = plugin.end(session_id)
    if rest == "owed":
        return held is not None
    sessions = runner.session_service
    session = await sessions.get_session(
        app_name=runner.app_name, user_id=user_id, session_id=session_id
    )
    if session is None:
        return False
    if held is not None:
        if kept := _words(held) if played is None else played:
            await sessions.append_event(session, with_began(_with_words(held, kept), began_s))
        return False
    if rest != "unwanted" or not played or not _is_open(session.events):
        return False
    words = types.Transcription(text=played, finished=True)
    cut = Event(author=runner.agent.name, output_transcription=words, interrupted=True)
    await sessions.append_event(session, with_began(cut, began_s))
    return True


def _is_open(events: Sequence[Event]) -> bool:
    """Whether the last event is the caller's, or a tool result: an answer is still owed."""
    for event in reversed(events):
        if event.turn_complete or event.interrupted or event.output_transcription:
            return False
        if event.author == "user" or event.input_transcription or event.get_function_responses():
            return True
    return False


def _answers(event: Event) -> bool:
    """Whether an event has sound or words of the agent's."""
    if event.author == "user":
        return False
    said = event.output_transcription
    parts = (event.content.parts if event.content else None) or []
    return bool(said and said.text) or any(
        part.inline_data or (part.text and not part.thought) for part in parts
    )


def _has_text(event: Event) -> bool:
    """Whether an event holds the words of an agent that answers in text."""
    parts = (event.content.parts if event.content else None) or []
    return event.author != "user" and any(part.text and not part.thought for part in parts)


def _changed(before: Event, after: Event) -> Event | None:
    """A plugin's return value: None if nothing was changed."""
    return None if after is before else after


def _asked(event: Event) -> Event:
    """The event with the played words, unless a `ResilientConnection` has attached them."""
    ask = model_scope().played
    return with_played(event, ask()) if ask and played_on(event) is None else event


def _words(event: Event) -> str:
    said = event.output_transcription
    return (said.text or "") if said else ""


def _with_words(event: Event, text: str) -> Event:
    said = types.Transcription(text=text, finished=True)
    return event.model_copy(update={"output_transcription": said})
