"""Recorded sessions, changed in the ways in which the services differ from one another. Pure.

The facts that the caller has to be shown stay the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.support.recorded_sessions import RecordedMessage, RecordedSession

Message = dict[str, Any]


def _each(change: Callable[[Message], Iterator[Message]]) -> Callable[..., RecordedSession]:
    """Change each of the server's messages after the setup."""

    def varied(session: RecordedSession) -> RecordedSession:
        lines = list(session.messages[:2])
        for line in session.messages[2:]:
            if line.sender == "client":
                lines.append(line)
                continue
            lines += (RecordedMessage("server", m) for m in change(copy.deepcopy(line.message)))
        return replace(session, messages=tuple(lines))

    return varied


@_each
def with_empty_messages(message: Message) -> Iterator[Message]:
    if message.keys() <= {"voiceActivity", "sessionResumptionUpdate"}:
        yield message
        return
    yield {}
    yield {"serverContent": {}}
    yield message
    yield {"serverContent": {"modelTurn": {}}}
    yield {"serverContent": {"modelTurn": {"parts": []}}}


@_each
def with_updates_unasked(message: Message) -> Iterator[Message]:
    yield {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "10s"}}
    yield {"sessionResumptionUpdate": {"newHandle": "95e91930", "resumable": True}}
    yield message
    yield {"sessionResumptionUpdate": {}}
    yield {"voiceActivity": {"type": "ACTIVITY_END", "audioOffset": "0.160s"}}


@_each
def with_empty_usage(message: Message) -> Iterator[Message]:
    if "usageMetadata" in message:
        usage = message.pop("usageMetadata")
        yield {"serverContent": {}, "usageMetadata": usage}
        message["usageMetadata"] = {}
    yield message


@_each
def with_usage_without_counts(message: Message) -> Iterator[Message]:
    for name, value in message.get("usageMetadata", {}).items():
        if name.endswith("Details"):
            value.append({"modality": "IMAGE"})
            value.append({})
    message.get("usageMetadata", {}).pop("totalTokenCount", None)
    yield message


@_each
def with_several_sounds_in_one_message(message: Message) -> Iterator[Message]:
    parts = message.get("serverContent", {}).get("modelTurn", {}).get("parts", [])
    if parts and "inlineData" in parts[0]:
        parts.append(copy.deepcopy(parts[0]))
    yield message


@_each
def with_sound_without_a_rate(message: Message) -> Iterator[Message]:
    for part in message.get("serverContent", {}).get("modelTurn", {}).get("parts", []):
        if "inlineData" in part:
            part["inlineData"]["mimeType"] = "audio/pcm"
    yield message


@_each
def with_interim_transcripts(message: Message) -> Iterator[Message]:
    if "inputTranscription" in message.get("serverContent", {}):
        yield {"serverContent": {"interimInputTranscription": {"text": " Helo my"}}}
    yield message


@_each
def with_transcripts_that_end(message: Message) -> Iterator[Message]:
    content = message.get("serverContent", {})
    if "generationComplete" in content:
        yield {"serverContent": {"outputTranscription": {"finished": True}}}
    yield message


def with_model(session: RecordedSession, model: str) -> RecordedSession:
    """The session, as if another model had answered."""
    setup = RecordedMessage("client", {"setup": session.setup | {"model": model}})
    return replace(session, messages=(setup, *session.messages[1:]))


def with_words_beside_sound(session: RecordedSession) -> RecordedSession:
    """The words of a message ride on the sound that follows."""
    lines: list[RecordedMessage] = []
    waiting = ""
    for line in session.messages:
        content = line.message.get("serverContent", {}) if line.sender == "server" else {}
        if content.keys() == {"outputTranscription"}:
            waiting += content["outputTranscription"].get("text", "")
            continue
        if content and waiting:
            line = copy.deepcopy(line)
            said = line.message["serverContent"].setdefault("outputTranscription", {})
            said["text"] = waiting + said.get("text", "")
            waiting = ""
        lines.append(line)
    return replace(session, messages=tuple(lines))


def with_spaces_at_the_ends(session: RecordedSession) -> RecordedSession:
    """Each piece of the answer ends with the space that the next one began with."""
    lines = [copy.deepcopy(line) for line in session.messages]
    before: Message | None = None
    for line in lines:
        content = line.message.get("serverContent", {}) if line.sender == "server" else {}
        said = content.get("outputTranscription")
        if said and said.get("text"):
            if before is not None and said["text"].startswith(" "):
                said["text"] = said["text"][1:]
                before["text"] += " "
            before = said
    return replace(session, messages=tuple(lines))


def varied(
    session: RecordedSession, *changes: Callable[[RecordedSession], RecordedSession]
) -> RecordedSession:
    """A session with several of these changes, one after the other."""
    for change in changes:
        session = change(session)
    return session
