"""What the messages of one session show of the server's habits, without its words.

A session is a list of `RecordedMessage`; the habits are facts in plain words, so that two sessions
of the same client can be compared and what differs can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tests.support.recorded_sessions import RecordedMessage

Habits = dict[str, Any]
"""The value of each habit, by its name; only JSON values."""

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FORMS = {
    "a UUID": _UUID,
    "fc_ and digits": r"fc_\d+",
    "call_ and digits": r"call_\d+",
    "function-call- and digits": r"function-call-\d+",
}
_ANSWER = {"sound", "words", "sound with words", "words begin", "words finished", "text"}
_EMPTY = {"{}", "empty serverContent"}


def habits(session: Sequence[RecordedMessage]) -> Habits:
    """The habits of the server in one session."""
    server = [line.message for line in session if line.sender == "server"]
    contents = [message["serverContent"] for message in server if "serverContent" in message]
    return {
        "order": _order(session),
        "fields of setupComplete": sorted(_first(server, "setupComplete")),
        "role of modelTurn": _each({turn.get("role", "none") for turn in _turns(contents)}),
        **_sound(contents),
        **_thoughts(session),
        **_words(server),
        **_heard(contents),
        **_empty(server),
        "interactionStatus": sorted({c["interactionStatus"] for c in contents if _states(c)}),
        **_ends(server),
        **_usage(server),
        **_calls(server),
        **_handles(server),
        **_activity(server),
    }


def kinds(message: dict[str, Any]) -> list[str]:
    """The parts of a server's message, in one word each and in a fixed order."""
    if not message:
        return ["{}"]
    said = [
        name
        for name in ("setupComplete", "toolCall", "toolCallCancellation", "goAway")
        if name in message
    ]
    if "sessionResumptionUpdate" in message:
        resumable = message["sessionResumptionUpdate"].get("resumable")
        said.append("handle" if resumable else "not resumable")
    if "voiceActivity" in message:
        said.append(str(message["voiceActivity"].get("type")))
    if "serverContent" in message:
        said += _content_kinds(message["serverContent"])
    if "usageMetadata" in message and "turnComplete" not in message.get("serverContent", {}):
        said.append("usage")
    return said


def _content_kinds(content: dict[str, Any]) -> Iterator[str]:
    if not content:
        yield "empty serverContent"
    if "interimInputTranscription" in content:
        yield "heard so far"
    if "inputTranscription" in content:
        yield "heard"
    words = content.get("outputTranscription")
    parts = content.get("modelTurn", {}).get("parts", [])
    for part in parts:
        if part.get("thought"):
            yield "thought"
        elif "inlineData" in part:
            yield "sound with words" if words else "sound"
        else:
            yield "text"
    if words is not None and not parts:
        yield "words" if "text" in words else f"words {'finished' if words else 'begin'}"
    for name in ("interrupted", "generationComplete", "turnComplete"):
        if content.get(name):
            yield name


def _order(session: Sequence[RecordedMessage]) -> list[str]:
    """Both sides' messages as kinds; sound and words count as one answer, repetitions once."""
    said: list[str] = []
    for line in session:
        if line.sender == "client":
            asked = f"> {_asked(line.message)}"
            # The amount of sound between two server messages is the client's habit.
            said += [] if asked == "> audio" and asked in said else [asked]
            continue
        for kind in kinds(line.message):
            if kind not in _EMPTY and kind != "usage":
                said.append("answer" if kind in _ANSWER else kind)
    # A handle and a client's message may cross, so their order does not count.
    for index in range(len(said) - 1):
        if said[index] == "handle" and said[index + 1].startswith(">"):
            said[index], said[index + 1] = said[index + 1], said[index]
    return [kind for kind, _ in groupby(said)]


def _asked(message: dict[str, Any]) -> str:
    if not message:
        return "nothing"
    if len(message) > 1:
        return " and ".join(_asked({name: inner}) for name, inner in sorted(message.items()))
    [(name, inner)] = message.items()
    if re.sub("_", "", name).lower() == "realtimeinput":
        return re.sub(r"(?<!^)(?=[A-Z])", "_", next(iter(inner), "nothing")).lower()
    asks = inner.get("turnComplete", inner.get("turn_complete")) if "turns" in inner else None
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return f"{words}, not complete" if asks is False else words


def _sound(contents: list[dict[str, Any]]) -> Habits:
    blobs = [part["inlineData"] for part in _parts(contents) if "inlineData" in part]
    return {"MIME type of the sound": _each({blob.get("mimeType", "missing") for blob in blobs})}


def _thoughts(session: Sequence[RecordedMessage]) -> Habits:
    said = [kind for line in session if line.sender == "server" for kind in kinds(line.message)]
    if "thought" not in said:
        return {"thoughts": "none"}
    spoken = [kind for kind in said if kind in _ANSWER or kind in ("thought", "toolCall")]
    return {"thoughts": "first" if spoken[0] == "thought" else "later"}


def _words(server: list[dict[str, Any]]) -> Habits:
    said = [kind for message in server for kind in kinds(message) if kind in _ANSWER]
    texts = [
        content["outputTranscription"]["text"]
        for content in (message.get("serverContent", {}) for message in server)
        if content.get("outputTranscription", {}).get("text")
    ]
    if not texts:
        return {"words of the answer": "none" if "words begin" not in said else "empty"}
    sound_at = [index for index, kind in enumerate(said) if kind.startswith("sound")]
    words_at = [index for index, kind in enumerate(said) if kind == "words"]
    if "sound with words" in said:
        ride = "in messages with sound" + (" and in others" if words_at else "")
    elif not sound_at or said.index("words") < sound_at[0]:
        ride = "in messages of their own, the first ones before the sound"
    else:
        ride = "in messages of their own, after the first sound"
    return {
        "words of the answer": ride,
        "words begin and finish in messages of their own": [
            kind for kind in ("words begin", "words finished") if kind in said
        ],
        "words in pieces": len(texts) > 1,
        "spaces of the pieces": sorted(
            {"in front" for text in texts[1:] if text[:1].isspace()}
            | {"behind" for text in texts[:-1] if text[-1:].isspace()}
        ),
    }


def _heard(contents: list[dict[str, Any]]) -> Habits:
    heard = [
        content["inputTranscription"] for content in contents if "inputTranscription" in content
    ]
    if not heard:
        return {"caller's words": "none"}
    return {
        "caller's words": "in pieces" if len(heard) > 1 else "whole",
        "caller's words begin with a space": heard[0].get("text", "")[:1].isspace(),
        "fields of the caller's words": sorted({name for one in heard for name in one}),
    }


def _empty(server: list[dict[str, Any]]) -> Habits:
    """Which messages without content come before the first output, and which after it."""
    said = [kind for message in server for kind in kinds(message)]
    output = [index for index, kind in enumerate(said) if kind in _ANSWER or kind == "toolCall"]
    first = output[0] if output else len(said)
    return {
        "messages that say nothing before the first output": sorted(set(said[:first]) & _EMPTY),
        "messages that say nothing after it": sorted(set(said[first:]) & _EMPTY),
    }


def _states(content: dict[str, Any]) -> bool:
    return "interactionStatus" in content


def _ends(server: list[dict[str, Any]]) -> Habits:
    ends = [m for m in server if m.get("serverContent", {}).get("turnComplete")]
    said = [kind for message in server for kind in kinds(message)]
    return {
        "how often turnComplete": len(ends),
        "how often generationComplete": said.count("generationComplete"),
        "how often interrupted": said.count("interrupted"),
        "what rides with turnComplete": sorted({name for m in ends for name in m["serverContent"]}),
    }


def _usage(server: list[dict[str, Any]]) -> Habits:
    with_usage = [message for message in server if "usageMetadata" in message]
    places = {kind for message in with_usage for kind in kinds(message) if kind != "usage"}
    usages = [message["usageMetadata"] for message in with_usage if message["usageMetadata"]]
    return {
        "usage rides with": sorted(places),
        "fields of usage": sorted({name for usage in usages for name in usage}),
        "usage adds up": {
            side: all(_adds_up(usage, side) for usage in usages)
            for side in ("prompt", "response", "candidates")
            if any(f"{side}TokensDetails" in usage for usage in usages)
        },
        "kinds of tokens of the answer": sorted(
            {
                detail.get("modality", "no modality")
                + ("" if "tokenCount" in detail else " without a count")
                for usage in usages
                for side in ("response", "candidates")
                for detail in usage.get(f"{side}TokensDetails", [])
            }
        ),
        "tokens of an image": sorted(
            {
                detail.get("tokenCount", 0)
                for usage in usages
                for detail in usage.get("promptTokensDetails", [])
                if detail.get("modality") == "IMAGE"
            }
        ),
    }


def _adds_up(usage: dict[str, Any], side: str) -> bool:
    details = usage.get(f"{side}TokensDetails", [])
    return sum(detail.get("tokenCount", 0) for detail in details) == usage.get(
        f"{side}TokenCount", 0
    )


def _calls(server: list[dict[str, Any]]) -> Habits:
    calls = [
        call for message in server for call in message.get("toolCall", {}).get("functionCalls", [])
    ]
    return {
        "form of a call's id": _each({_form(call.get("id", "")) for call in calls}),
        "fields of a call": sorted({name for call in calls for name in call}),
        "how many calls": len(calls),
    }


def _handles(server: list[dict[str, Any]]) -> Habits:
    updates = [m["sessionResumptionUpdate"] for m in server if "sessionResumptionUpdate" in m]
    handles = [update["newHandle"] for update in updates if update.get("newHandle")]
    return {
        "handles": bool(handles),
        "form of a handle": _each({_form(handle) for handle in handles}),
    }


def _activity(server: list[dict[str, Any]]) -> Habits:
    found = [message["voiceActivity"] for message in server if "voiceActivity" in message]
    offsets = [one.get("audioOffset", "") for one in found]
    good = all(re.fullmatch(r"\d+(\.\d{3})?s", offset) for offset in offsets)
    return {
        "voiceActivity": sorted({one["type"] for one in found}),
        "offsets of voiceActivity": "seconds, whole or with three decimals" if good else offsets,
    }


def _first(server: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((message[name] for message in server if name in message), {"never": True})


def _turns(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [content["modelTurn"] for content in contents if "modelTurn" in content]


def _parts(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for turn in _turns(contents) for part in turn.get("parts", [])]


def _form(given: str) -> str:
    return next((name for name, form in _FORMS.items() if re.fullmatch(form, given)), "another")


def _each(found: set[str]) -> str:
    return " and ".join(sorted(found)) or "none"
