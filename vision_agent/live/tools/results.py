"""Tools' results as JSON. Pure.

google-genai raises on a result that it can't encode, inside the task in which ADK sends everything:
the model would wait for the result, and no longer receive the caller's sound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from google.genai import types
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

MAX_RESULT_CHARS = 500_000
"""About what fits into a context of 128,000 tokens; a service ends a session over more."""

MAX_DEPTH = 64
MAX_INT_BITS = 10_000
"""Python's own encoder refuses integers that are much longer."""


class NoResult(ValueError):
    """A tool has returned something that is not JSON, or too long; the text is for the model."""


def as_json(name: str, result: Any) -> Any:
    """A tool's result with JSON in place of dates, numbers of NumPy, models of pydantic and so on.

    Parts with files stay: ADK takes them out and sends them beside the result.

    Args:
        name: The tool's name, for the error.
        result: What the tool has returned.

    Raises:
        NoResult: The result is not JSON, or is too long.
    """
    try:
        plain = _plain(result, MAX_DEPTH)
        chars = len(to_json(plain, fallback=str))
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise NoResult(f"The tool {name} has returned what can't be told to a model.") from error
    if chars > MAX_RESULT_CHARS:
        raise NoResult(
            f"The tool {name} has returned {chars} characters, more than a model can read: "
            f"{MAX_RESULT_CHARS} at most."
        )
    return plain


def _plain(value: Any, depth: int) -> Any:
    if depth == 0:
        raise ValueError(f"deeper than {MAX_DEPTH}, or inside itself")
    match value:
        case None | bool():
            return value
        case str():
            return value.encode(errors="replace").decode()
        case int():
            if value.bit_length() > MAX_INT_BITS:
                raise ValueError("a number with too many digits")
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else str(value)
        case types.FunctionResponse():
            return value.model_copy(update={"response": _plain(value.response, depth - 1)})
        case types.Part() if value.inline_data or value.file_data:
            return value
        case Mapping():
            return {_key(key): _plain(each, depth - 1) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each, depth - 1) for each in value]
        case Iterator():
            return _unknown(value)  # its next step may block the event loop
    if callable(to_list := getattr(value, "tolist", None)):  # NumPy's arrays and numbers
        return _plain(to_list(), depth - 1)
    return _plain(to_jsonable_python(value, bytes_mode="base64", fallback=_unknown), depth - 1)


def _key(key: Any) -> str:
    return str(_plain(key, 2)) if isinstance(key, str | int | float) else str(key)


def _unknown(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is no JSON")
