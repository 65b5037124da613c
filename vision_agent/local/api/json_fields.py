"""Reading JSON as the Live API's clients write it, and refusing it as the service does.

google-genai mixes camelCase and snake_case inside one message and writes base64 in the URL-safe
alphabet, so every field is looked up under both names and both alphabets are taken.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

INVALID = 1007
"""Close code for a message the service will not take (RFC 6455: invalid payload data)."""

POLICY = 1008
"""Close code for a caller the service will not serve (RFC 6455: policy violation)."""

INVALID_ARGUMENT = "Request contains an invalid argument."
"""The words of many refusals: a setup out of its place, an option that a model does not have."""

PRECONDITION = "Precondition check failed."
"""The words for an activity without sound."""

_MAX_REASON_BYTES = 123
"""RFC 6455, section 5.5: a control frame carries 125 bytes, two of them the close code."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MOST_DIGITS = 19
"""Of a whole number in JSON; protobuf's largest has as many."""


class Refused(Exception):
    """The connection has to end, with the code and the words the public service would use.

    Attributes:
        code: WebSocket close code.
        reason: At most 123 bytes of UTF-8; longer ones are cut there, as the service's are.
        last_message: What is sent before it, if anything is.
    """

    def __init__(self, code: int, reason: str, last_message: dict[str, Any] | None = None) -> None:
        self.code = code
        self.last_message = last_message
        self.reason = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        super().__init__(f"{code} {self.reason}")


def invalid(reason: str) -> Refused:
    """The refusal for a message that says something impossible."""
    return Refused(INVALID, reason)


def unknown_name(name: str, path: str, why: str = "Cannot find field.") -> Refused:
    """The refusal for a field that the message at ``path`` ("" for the outermost) does not have."""
    at = f" at '{path}'" if path else ""
    return invalid(f'Invalid JSON payload received. Unknown name "{name[:60]}"{at}: {why}')


def load(raw: str | bytes) -> Mapping[str, Any]:
    """The JSON object in one WebSocket message, text or binary.

    Raises:
        Refused: 1007 when it is not one JSON object.
    """
    try:
        # Strictly UTF-8, and without half a surrogate pair, which is no text: it could neither be
        # sent back nor written down.
        text = raw if isinstance(raw, str) else raw.decode()
        message = json.loads(text)
        if _SURROGATE.search(text):
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON payload received. Unexpected token.") from None
    if not isinstance(message, Mapping):
        raise invalid(
            'Invalid JSON payload received. Unknown name "": Root element must be a message.'
        )
    return message


def field(source: Mapping[str, Any], name: str) -> Any:
    """The field called ``name`` (snake_case), under either spelling; None when absent or null."""
    value = source.get(name)
    if value is None:
        first, *rest = name.split("_")
        value = source.get(first + "".join(word.capitalize() for word in rest))
    return value


def as_object(value: Any, name: str) -> Mapping[str, Any]:
    """``value`` as a JSON object; null counts as the empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid(f"Invalid value at '{name}': an object is needed.")
    return value


def as_list(value: Any, name: str) -> Sequence[Any]:
    """``value`` as a JSON array; null is empty, and one bare object counts as a list of it."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return (value,)
    if not isinstance(value, list):
        raise invalid(f"Invalid value at '{name}': a list is needed.")
    return value


def as_text(value: Any, name: str) -> str:
    """``value`` as a string; null is the empty one."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(f"Invalid value at '{name}': a string is needed.")
    return value


def as_flag(value: Any, name: str) -> bool:
    """``value`` as a boolean; null is false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid(f"Invalid value at '{name}': true or false is needed.")
    return value


def as_count(value: Any, name: str) -> int | None:
    """``value`` as a whole number ≥ 0; protobuf's JSON may write it as a string."""
    if value is None:
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) <= _MOST_DIGITS:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid(f"Invalid value at '{name}': a whole number, 0 or more, is needed.")
    return value


def as_bytes(value: Any, path: str) -> bytes:
    """The bytes behind a base64 string in the normal or the URL-safe alphabet."""
    given = as_text(value, path)
    text = given.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(
            f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{given[:20]}\""
        ) from None
