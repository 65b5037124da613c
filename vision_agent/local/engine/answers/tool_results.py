"""A tool's result as a spoken sentence. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from vision_agent.local import adk_dialect
from vision_agent.local.engine.answers.english import listed
from vision_agent.local.engine.answers.phrasing import MAX_READ_CHARS, MOST_PLACES
from vision_agent.local.engine.answers.tool_words import split_name

_TELLING = ("message", "result", "output", "response", "answer", "text", "summary")
"""Fields of a tool's result that hold the sentence to say, if there are no other fields."""

_DONE = frozenset({"ok", "okay", "success", "succeeded", "done", "true", "accepted", "completed"})

_FAILED = frozenset({"error", "failed", "failure", "false"})

_PENDING = frozenset(
    {"pending", "in progress", "running", "waiting", "queued", "submitted", "processing", "started"}
)

_SILENT = frozenset(
    {"id", "call_id", "function_call_id", "timestamp", "status_code", "meta", "_meta", "iserror"}
    | {"is_error", "success", "ok"}
)

_WHY = ("error", "error_message", "message", "detail", "details", "reason", "text", "result")
"""Fields that may give the reason of a failure, the likeliest first."""

_TO_A_MODEL = re.compile(r"\b(analy[sz]e|retry|retries|try again with|tool call|the model)\b", re.I)
"""Words of sentences that address the model that called the tool, and not the caller."""

_DEEPEST = 3


def tool_result(
    name: str, response: Mapping[str, Any], arguments: Mapping[str, Any] | None = None
) -> str:
    """A tool's result as a sentence, without added information.

    Args:
        name: The tool's name.
        response: The result: a dictionary of the tool's own, or an MCP ``CallToolResult``.
        arguments: The arguments of the call, if known; many tools repeat them in their result.
    """
    response, failed = _unwrapped(response)
    if failed or response.get("error"):
        return _failure(response)
    told = {
        key: value
        for key, value in response.items()
        if value not in (None, "", [], {}) and key.lower() not in _SILENT
    }
    done = f"{name.replace('_', ' ').capitalize()} is done."
    status = str(told.get("status", "")).strip()
    if _is_sentence(status):
        return _to_the_caller(_told(status))
    pending = status.lower().replace("_", " ") in _PENDING
    if pending or status.lower() in _DONE:
        del told["status"]
    if pending:
        rest = "" if not told else f" {_fields(told)}"
        return f"{name.replace('_', ' ').capitalize()} is still pending.{rest}"
    if not told:
        return _nothing(response) if response and not status else done
    if len(told) == 1:
        key, value = next(iter(told.items()))
        if key.lower() in _TELLING:
            return _to_the_caller(_told(value))
        if isinstance(value, list) and key.endswith("ed"):
            return f"{key.replace('_', ' ').capitalize()}: {_value(value)}."
    if adk_dialect.MEMORIES in told:
        return memories(told[adk_dialect.MEMORIES])
    return _with_repeated(told, arguments or {}, done=bool(status))


def _with_repeated(told: Mapping[str, Any], arguments: Mapping[str, Any], *, done: bool) -> str:
    """Says the fields that repeat an argument first, without their names.

    The field that says what was done comes first as well:
    ``{"added": "apples", "quantity": 3}`` → "Added: 3 apples."
    """
    deed = next((key for key, value in told.items() if _is_deed(key, value)), "")
    repeated = {
        key: value
        for key, value in told.items()
        if key == deed or (_is_plain(value) and _same(arguments.get(key), value))
    }
    if not repeated:
        return _fields(told)
    amounts = [
        _value(value)
        for key, value in told.items()
        if _is_amount_of(key, value) and (deed or key in repeated)
    ]
    amount = amounts[0] if len(amounts) == 1 and len(repeated) <= 2 + bool(deed) else ""
    rest = {key: value for key, value in told.items() if key not in repeated}
    if amount:
        rest = {key: value for key, value in rest.items() if not _is_amount_of(key, value)}
    things = [
        _value(value)
        for key, value in repeated.items()
        if not (amount and _is_amount_of(key, value))
    ]
    thing = f"{amount} {listed(things)}".strip()
    if not rest:
        return f"{_words(deed).capitalize() if deed else 'Done'}: {thing}."
    if deed or done:
        return f"{_words(deed).capitalize() if deed else 'Done'}: {thing}. {_fields(rest)}"
    sentence = _fields(rest)
    return f"{thing[0].upper()}{thing[1:]}: {sentence[0].lower()}{sentence[1:]}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_deed(key: str, value: Any) -> bool:
    """Whether a field's name states an action on its value: "added", "saved"."""
    return (
        key.isalpha()
        and key.endswith("ed")
        and len(key) > 3
        and (_is_plain(value) or isinstance(value, list))
    )


def _is_amount_of(key: str, value: Any) -> bool:
    return key.lower() in _AMOUNTS and _is_plain(value) and not isinstance(value, str)


def _same(argument: Any, value: Any) -> bool:
    return argument is not None and str(argument).casefold() == str(value).casefold()


_AMOUNTS = frozenset("quantity qty amount count copies pieces".split())  # noqa: SIM905


def _fields(told: Mapping[str, Any]) -> str:
    sentence = listed([_field(key, value) for key, value in told.items()])
    return f"{sentence[0].upper()}{sentence[1:]}."


def _field(key: str, value: Any) -> str:
    words = _words(key)
    if words in _VERBS:
        return f"it {words} {_value(value)}"
    if words.startswith(("in ", "on ")) and _is_plain(value) and not isinstance(value, str):
        return f"{_value(value)} {'is' if value == 1 else 'are'} {words}"
    return f"the {words} {_is_or_are(key)} {_value(value)}"


def _unwrapped(response: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The content of an MCP result, or of JSON in a text, and whether the call failed."""
    failed = any(response.get(flag) is True for flag in ("isError", "is_error")) or any(
        response.get(flag) is False for flag in ("success", "ok")
    )
    failed = failed or str(response.get("status", "")).strip().lower() in _FAILED
    found = dict(response)
    content = found.get("content")
    if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        structured = found.get("structuredContent", found.get("structured_content"))
        text = " ".join(str(part["text"]) for part in content if part.get("text"))
        found = {"result": structured if structured else text}
    for _ in range(_DEEPEST):
        if len(found) != 1:
            break
        key, value = next(iter(found.items()))
        value = _parsed(value)
        if not isinstance(value, Mapping) or key.lower() not in _TELLING:
            found = {key: value}
            break
        found = dict(value)
        failed = failed or str(found.get("status", "")).strip().lower() in _FAILED
    return {key: _parsed(value) for key, value in found.items()}, failed


def _parsed(value: Any) -> Any:
    """The value itself, or the parsed value if it is a text in JSON."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _failure(response: Mapping[str, Any]) -> str:
    why = next((response[key] for key in _WHY if response.get(key)), "")
    if isinstance(why, Mapping):
        why = next((why[key] for key in _WHY if why.get(key)), "")
    text = _value(why) if why else ""
    text = text.rpartition("Execution Error:")[2]
    sentences = [
        sentence
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", text)
        if sentence.strip() and not _TO_A_MODEL.search(sentence)
    ]
    told = " ".join(sentence.strip() for sentence in sentences).rstrip(".")
    return f"That did not work: {told}." if told else "That did not work."


_VERBS = frozenset(
    """arrives departs leaves starts begins ends closes opens expires costs weighs contains
    includes needs takes says lasts lives works""".split()  # noqa: SIM905
)
"""Names of fields that are verbs: "it arrives on Tuesday"."""

_SINGULAR_IN_S = ("ss", "us", "is", "news", "series", "lens")


def _words(key: str) -> str:
    return " ".join(split_name(key))


def _is_or_are(key: str) -> str:
    """The verb that goes with a field's name: "the opening hours are", "the address is"."""
    last = (split_name(key) or [""])[-1]
    return "are" if last.endswith("s") and not last.endswith(_SINGULAR_IN_S) else "is"


def memories(found: Any) -> str:
    """The texts of the entries that ADK's memory returned, as a sentence."""
    texts = [f"“{_value(text)}”" for text in adk_dialect.memory_texts(found)]
    return f"I remember: {listed(texts[:MOST_PLACES])}." if texts else "I remember nothing of it."


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes." if value else "No."
    text = _value(value)
    if isinstance(value, str) and _is_sentence(text):  # said unchanged
        return text if text.endswith(("!", "?")) else f"{text}."
    return f"The answer is {text}."


def _is_sentence(text: str) -> bool:
    return text[:1].isupper() and len(text.split()) > 2


_YOURS = {"sees": "see", "is": "are", "has": "have", "was": "were", "does": "do"}


def _to_the_caller(text: str) -> str:
    """A tool's sentence about "the caller", rephrased to address the caller."""

    def you(found: re.Match[str]) -> str:
        pronoun = "You" if found[1] == "T" else "you"
        return f"{pronoun} {_YOURS.get(found[2], found[2])}"

    said = re.sub(r"\b([Tt])he (?:caller|user) (\w+)", you, text)
    # The label of a box is the caller's phrase without its article: "red thing".
    said = re.sub(r"\baround (?!the |a |an |your |my |some)(?=[a-z])", "around the ", said)
    # The tool's argument was in the caller's own words.
    return re.sub(r"\bmy\b", "your", said)


def _nothing(response: Mapping[str, Any]) -> str:
    key = next(iter(response))
    return f"Nothing was {key.replace('_', ' ')}." if key.endswith("ed") else "I found nothing."


def _value(value: Any, depth: int = 0) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "nothing"
    if isinstance(value, list) and depth < _DEEPEST:
        items = [_value(item, depth + 1) for item in value[:_MOST_ITEMS]]
        more = len(value) - len(items)
        text = listed([*items, *([f"{more} more"] if more else [])])
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        inner = [
            f"{_words(str(key))} {_value(item, depth + 1)}"
            for key, item in value.items()
            if item not in (None, "", [], {}) and str(key).lower() not in _SILENT
        ]
        text = ", ".join(inner)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _UNBROKEN.sub(lambda run: f"a long text of {len(run[0]):,} characters", text)
    return text.strip().rstrip(".")[:MAX_READ_CHARS]


_UNBROKEN = re.compile(r"\S{200,}")
"""A run of characters that is meaningless when read aloud: encoded data, a key."""

_MOST_ITEMS = 5
"""Items of a list that are read out; more are too many to listen to."""
