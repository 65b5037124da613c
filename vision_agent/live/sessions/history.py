"""What of a conversation is kept, and what of it is told when its caller comes back. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from google.adk.events.event import Event

MAX_LINE_CHARS = 2_000
"""Of one line that the caller is shown again."""

MAX_LINES_CHARS = 24_000
"""Of all of them together: they travel as one message of the data channel (see `newest`)."""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """Something that was said or typed in a conversation.

    Attributes:
        who: Which side.
        text: Its words.
        agent: Which agent said it, by its name; empty if it is the caller's.
    """

    who: Literal["user", "agent"]
    text: str
    agent: str = field(default="", compare=False)


def worth_keeping(event: Event) -> bool:
    """Whether an event belongs to the history: words, tools, changes of state, ends of turns.

    Resumption handles, token counts and pieces of what follows as a whole do not.
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


def restored(events: Iterable[Event]) -> list[Event]:
    """The events of a conversation that broke off, fit to go on from.

    A tool's call that never got its result, or lost one of the two to the bound on what is read,
    means nothing to a model any more. What the caller said is put before the answer to it: some
    models tell it afterwards, and would take it for a question that is still open.

    ADK shows a model whatever a live agent has said, its own words too, as a user's quotation of
    another agent. A history that ends with one is a question to every model, which then answers
    what it has answered. ADK goes by the id of the live session, and these words are of none.
    """
    events = list(events)
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
    """What was said and typed, oldest first; the beginning of a long conversation is left out."""
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
    """The newest lines of a conversation that fit into so many bytes of JSON."""
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
