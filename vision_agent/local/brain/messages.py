"""A conversation as the messages of a chat request. Pure.

Roles alternate, calls are followed by their results, and ids have nine letters and digits: the
templates of some models insist on each of these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vision_agent.local.contract import (
    Called,
    Entry,
    FrameSource,
    FunctionCall,
    Returned,
    Said,
    Turn,
)

Message = dict[str, Any]

SILENT = "[silent]"
"""The model's answer to words that are not meant for it."""

MAX_RESULT = 8_000
"""Characters of one function's result."""

OLD_FRAME_MS = 5_000
"""A frame older than this is shown with its age."""

_SPOKEN = (
    "This is a voice call. The person hears what you answer and sees nothing written. Answer in "
    "one to three short sentences of plain speech: no lists, no markup, no code, no links."
)
_SEES = "What the person's camera sees comes as pictures with what they say."
_BLIND = (
    "You have no eyes in this call: no picture reaches you. If you are asked what you see, say so."
)
_PROACTIVE = (
    f"If what you hear is plainly not meant for you, answer only {SILENT} and nothing else."
)
_OPENING = "(The call begins.)"
_NOT_YET = "Not finished. The result follows later."


def chat_messages(
    turn: Turn,
    pictures: Sequence[str],
    *,
    sees: bool,
    most_characters: int,
    sources: Sequence[FrameSource] = (),
) -> list[Message]:
    """The messages of a request that answers a turn.

    Args:
        turn: The turn.
        pictures: The newest frames as data URLs, oldest first.
        sees: Whether the model is shown pictures when there are some.
        sources: The source of each picture; empty if unknown.
        most_characters: The bound on the history; the newest turns are always sent.
    """
    prompt = turn.text.strip()
    asked: list[Entry] = [] if turn.recorded or not prompt else [Said("user", prompt)]
    past = _rendered(turn.record, 0)
    present = _rendered([*asked, *turn.steps], len(turn.record) + 1)
    if (present or past)[-1:] == [] or (present or past)[-1]["role"] == "assistant":
        present.append({"role": "user", "content": _unanswered(turn)})
    told = [{"role": "system", "content": _instruction(turn, sees=sees)}]
    messages = _merged([*_newest(past, most_characters), *present])
    if messages[0]["role"] != "user":
        messages.insert(0, {"role": "user", "content": _OPENING})
    notes = [_about_camera(turn, pictures), _named(sources)] if sees and not turn.alone else []
    _show(messages, pictures, "\n".join(note for note in notes if note))
    return [*told, *messages]


def _instruction(turn: Turn, *, sees: bool) -> str:
    if turn.alone:
        return turn.instruction
    parts = [turn.instruction, _SPOKEN if turn.spoken else "", _SEES if sees else _BLIND]
    if turn.language_code:
        parts.append(f"Answer in the language {turn.language_code}.")
    if turn.asks_proactive and turn.transcript.spoken:
        parts.append(_PROACTIVE)
    return "\n\n".join(part for part in parts if part)


def _about_camera(turn: Turn, pictures: Sequence[str]) -> str:
    if turn.camera_off_ms is not None:
        return "(Their camera is off.)"
    if not pictures:
        return "(No picture has come from their camera.)"
    age_ms = turn.now_ms - turn.frames[-1].at_ms
    return f"(The newest picture is {age_ms // 1000} s old.)" if age_ms > OLD_FRAME_MS else ""


_SOURCES: dict[FrameSource, str] = {
    "camera": "their camera",
    "screen": "their shared screen",
    "picture": "a picture that they have sent",
}


def _named(sources: Sequence[FrameSource]) -> str:
    """A sentence about the pictures' sources, unless all are from the camera."""
    if all(source == "camera" for source in sources):
        return ""
    return f"(The pictures are, in order: {', '.join(_SOURCES[source] for source in sources)}.)"


def _show(messages: list[Message], pictures: Sequence[str], note: str) -> None:
    """Adds the pictures to the last words of the user."""
    last = next(message for message in reversed(messages) if message["role"] == "user")
    text = "\n".join(part for part in (last["content"], note) if part)
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
    last["content"] = [{"type": "text", "text": text}, *shown] if shown else text


def _unanswered(turn: Turn) -> str:
    results = (_notice(result) for result in turn.tool_results)
    return "\n".join(results) or "(Go on.)"


def _notice(result: Mapping[str, Any]) -> str:
    return (
        f"[notice] The function {result.get('name')} has now given: "
        f"{_cut(result.get('response') or {})} Tell the person."
    )


def _cut(response: Mapping[str, Any]) -> str:
    text = json.dumps(response, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_RESULT else f"{text[:MAX_RESULT]} … (cut)"


def _rendered(entries: Sequence[Entry], number: int) -> list[Message]:
    messages: list[Message] = []
    given: set[int] = set()
    for at, entry in enumerate(entries):
        match entry:
            case Said("user" | "model" as role, text):
                name = "user" if role == "user" else "assistant"
                messages.append({"role": name, "content": text})
            case Called(calls):
                results = list(_results(entries, at + 1))
                ids = [f"c{number + at:05d}{place:03d}" for place in range(len(calls))]
                messages.append(_calling(messages, calls, ids))
                for call, call_id in zip(calls, ids, strict=True):
                    found = next(
                        ((i, r) for i, r in results if i not in given and _of(r, call)), None
                    )
                    if found:
                        given.add(found[0])
                    content = _cut(found[1].response) if found else _NOT_YET
                    messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
            case Returned(_, name, response) if at not in given:
                late = {"name": name, "response": response}
                messages.append({"role": "user", "content": _notice(late)})
    return messages


def _results(entries: Sequence[Entry], start: int) -> Iterator[tuple[int, Returned]]:
    """The results that directly follow calls."""
    for at in range(start, len(entries)):
        entry = entries[at]
        if not isinstance(entry, Returned):
            return
        yield at, entry


def _of(result: Returned, call: FunctionCall) -> bool:
    return result.id == call.id and result.name == call.name


def _calling(messages: list[Message], calls: Sequence[FunctionCall], ids: list[str]) -> Message:
    """The message with the calls, together with the words before them."""
    before = messages.pop() if messages and _is_words(messages[-1]) else {"content": ""}
    return {
        "role": "assistant",
        "content": before["content"],
        "tool_calls": [
            {
                "id": call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(dict(call.args))},
            }
            for call, call_id in zip(calls, ids, strict=True)
        ],
    }


def _is_words(message: Message) -> bool:
    return message["role"] == "assistant" and "tool_calls" not in message


def _newest(messages: list[Message], most_characters: int) -> list[Message]:
    """The newest messages, beginning with one of the user's."""
    kept, characters = len(messages), 0
    for at in range(len(messages) - 1, -1, -1):
        characters += len(json.dumps(messages[at]))
        if characters > most_characters:
            break
        if messages[at]["role"] == "user":
            kept = at
    else:
        kept = 0
    return messages[kept:]


def _merged(messages: list[Message]) -> list[Message]:
    """The messages, with successive ones of the same side merged."""
    merged: list[Message] = []
    for message in messages:
        same = merged and merged[-1]["role"] == message["role"]
        if same and (message["role"] == "user" or (_is_words(merged[-1]) and _is_words(message))):
            merged[-1] = {**message, "content": f"{merged[-1]['content']}\n{message['content']}"}
        else:
            merged.append(message)
    return merged
