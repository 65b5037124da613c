"""Session stores as a server process has them, and what happens in them."""

from contextlib import asynccontextmanager

from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from google.genai import types

from vision_agent.live.sessions.session_key import SessionKey
from vision_agent.live.sessions.store import SessionLease, SessionStore, make_store

APP = "tests"


def key(conversation: SessionLease) -> dict[str, str]:
    return {
        "app_name": APP,
        "user_id": conversation.user_id,
        "session_id": conversation.session_id,
    }


def key_of(conversation: SessionLease) -> SessionKey:
    return SessionKey(conversation.user_id, conversation.session_id)


@asynccontextmanager
async def opened(url: str | None, *, on_taken=lambda _session_id: None, **options):
    """A store as a server process has it, from its start to its end."""
    store = make_store(APP, url=url, **{"resume_within_s": 600, "keep_s": 86_400, **options})
    await store.start(on_taken)
    try:
        yield store
    finally:
        await store.close()


def said(text: str) -> Event:
    heard = types.Transcription(text=text, finished=True)
    return Event(author="user", input_transcription=heard)


def answered(text: str) -> Event:
    spoken = types.Transcription(text=text, finished=True)
    return Event(author="agent", output_transcription=spoken)


def typed(text: str, **state: object) -> Event:
    content = types.Content(role="user", parts=[types.Part(text=text)])
    return Event(author="user", content=content, actions=EventActions(state_delta=dict(state)))


def turn_end() -> Event:
    return Event(author="agent", turn_complete=True)


async def happens(store: SessionStore, conversation, *events: Event) -> None:
    """Append events as ADK's runner does: to its own copy of the session."""
    session = await store.get_session(**key(conversation))
    for event in events:
        await store.append_event(session, event)
