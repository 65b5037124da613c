"""How a call fails, as its caller sees it: two exceptions, and errors put into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_PLAIN_WORD = re.compile(r"[^\W\d_]+(['-][^\W\d_]+)*[,.;:!?]?")


class CallRefused(RuntimeError):
    """The server did not take the call; `str(error)` says why, if possible in the server's words.

    Attributes:
        status: The HTTP status of the refusal; None if there was no usable HTTP answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class CallFailed(RuntimeError):
    """The call has ended or can't go on; `str(error)` is a sentence that says why."""


def sentence(words: object) -> str:
    """Make a sentence of an exception's or a server's words: capitalised, ended by one full stop.

    An address, a file name or another name at the beginning keeps its spelling.
    """
    text = str(words).strip() or type(words).__name__
    if _PLAIN_WORD.fullmatch(text.split()[0]):
        text = text[0].upper() + text[1:]
    return text.rstrip(".") + ("" if text[-1] in "!?" else ".")


@contextmanager
def as_call_failed(what: str) -> Iterator[None]:
    """Raise `CallFailed` for anything that aiortc raises inside the context.

    aiortc raises its own `InvalidStateError`, `InvalidAccessError` and `OperationError`, and any
    exception of its parser (`ValueError`, `KeyError`, `AssertionError`, …) for a description that
    can't be parsed. None of them means anything to the person who made the call. `__cause__` keeps
    the original.

    Args:
        what: What failed, as the beginning of a sentence.
    """
    try:
        yield
    except CallFailed:
        raise
    except Exception as error:
        raise CallFailed(f"{what}: {sentence(error)}") from error
