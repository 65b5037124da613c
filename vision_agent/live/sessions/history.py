"""Which events of a conversation are kept, and what a returning caller is shown. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from google.adk.events.event import Event

from vision_agent.live.media import without_media
from vision_agent.live.played import began_of
from vision_agent.live.said_order import Kind, SaidAt, place

MAX_LINE_CHARS = 2_000
"""Longest line that a returning caller is shown."""

_LOOKED_AT = 20
"""Events before an answer among which what asked for it is looked for."""

MAX_LINES_CHARS = 24_000
"""Of all lines together: they travel in one data channel message (see `newest`)."""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """Something that was said or typed in a conversation.

    Attributes:
        who: Which side said it.
        text: The words.
        agent: The name of the agent that said it; empty for the caller.
    """

    who: Literal["user", "agent"]
    text: str
    agent: str = field(default="", compare=False)


def worth_keeping(event: Event) -> bool:
    """Whether an event belongs to the history: words, tools, changes of state, ends of turns.

    Resumption handles, token counts and partial events do not.
    """
    if event.partial:
        return False
    return bool(
        (event.content and event.content.parts)
        or _words_of(event)
        or event.turn_complete
        or event.interrupted
        or event.error_code
        or any(value for _, value in event.actions)
    )


def without_files(event: Event) -> Event:
    """The event without files: a typed question carries a frame, a tool's result a picture.

    What an agent has kept as an artifact, its own audio included, is only referred to and stays.
    """
    if event.content is None or (bare := without_media(event.content)) is event.content:
        return event
    return event.model_copy(update={"content": bare})


def put_in_order(events: list[Event]) -> None:
    """Move the last event to where it belongs: what it says stands at the time it began."""
    *before, new = events
    kind = _kind(new)
    if kind not in ("spoken", "answer", "cut off"):
        return
    began_s = began_of(new)
    # Nothing stands before what began earlier, so the rest of a long conversation is not asked.
    since = len(before)
    while since and began_of(before[since - 1]) > began_s:
        since -= 1
    since = max(0, since - _LOOKED_AT)
    said = [SaidAt(_kind(event), began_of(event)) for event in before[since:]]
    at = since + place(said, SaidAt(kind, began_s))
    if at < len(before):
        events.insert(at, events.pop())


def _in_order(events: Iterable[Event]) -> list[Event]:
    ordered: list[Event] = []
    for event in events:
        ordered.append(event)
        put_in_order(ordered)
    return ordered


def _kind(event: Event) -> Kind:
    if event.get_function_responses():
        return "tool"
    if event.input_transcription and event.input_transcription.text:
        return "spoken"
    parts = (event.content.parts if event.content else None) or []
    has_text = any(part.text and not part.thought for part in parts)
    if event.author == "user":
        return "typed" if has_text else "other"
    if has_text or _words_of(event):
        return "cut off" if event.interrupted else "answer"
    return "tool" if event.get_function_calls() else "other"


def restored(events: Iterable[Event]) -> list[Event]:
    """The events of an earlier conversation, in a form from which a model can continue.

    Tool calls without a result, and results without a call, are left out. The caller's words are
    placed before the answer to them: some models send their transcript afterwards, and would take
    it for an open question.

    ADK presents everything that a live agent has said to a model, including the model's own words,
    as a user who quotes another agent. A history that ends with such a quotation is a question, and
    the model would answer what it has answered already. ADK recognises these events by the id of
    the live session, which is therefore removed.
    """
    events = _in_order(events)
    calls = {call.id for event in events for call in event.get_function_calls()}
    results = {result.id for event in events for result in event.get_function_responses()}
    whole = calls & results
    kept: list[Event] = []
    answer_at: int | None = None
    for event in events:
        ids = [call.id for call in event.get_function_calls()]
        ids += [result.id for result in event.get_function_responses()]
        if any(id not in whole for id in ids):
            continue
        if event.input_transcription and answer_at is not None:
            kept.insert(answer_at, event)
            answer_at += 1
            continue
        if event.output_transcription and answer_at is None:
            answer_at = len(kept)
        if event.turn_complete or event.interrupted or event.author == "user":
            answer_at = None
        kept.append(event if ids else event.model_copy(update={"live_session_id": None}))
    return kept


def lines(events: Iterable[Event]) -> list[ConversationLine]:
    """What was said and typed, oldest first; the beginning of a long conversation is omitted."""
    chosen: list[ConversationLine] = []
    left = MAX_LINES_CHARS
    for line in reversed(list(_lines(events))):
        left -= len(line.text)
        if left < 0:
            break
        chosen.append(line)
    return chosen[::-1]


def _lines(events: Iterable[Event]) -> Iterator[ConversationLine]:
    for event in events:
        if event.input_transcription and event.input_transcription.text:
            yield ConversationLine("user", event.input_transcription.text.strip()[:MAX_LINE_CHARS])
        if event.output_transcription and event.output_transcription.text:
            text = event.output_transcription.text.strip()[:MAX_LINE_CHARS]
            yield ConversationLine("agent", text, event.author)
        text = "".join(
            part.text or ""
            for part in (event.content.parts if event.content else None) or []
            if not part.thought
        ).strip()
        if text:
            text = text[:MAX_LINE_CHARS]
            is_users = event.author == "user"
            yield (
                ConversationLine("user", text)
                if is_users
                else ConversationLine("agent", text, event.author)
            )


def _words_of(event: Event) -> str:
    said = (event.input_transcription, event.output_transcription)
    return "".join(one.text or "" for one in said if one)


def newest(lines: Sequence[ConversationLine], max_bytes: int) -> list[dict[str, str]]:
    """The newest lines that fit into this many bytes of JSON."""
    kept: list[dict[str, str]] = []
    for line in reversed(lines):
        told = {"who": line.who, "text": line.text}
        if line.agent:
            told["agent"] = line.agent
        max_bytes -= len(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
        if max_bytes < 0:
            break
        kept.append(told)
    return kept[::-1]
