"""How a call fails, for whoever made it: two exceptions, and errors put into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_PLAIN_WORD = re.compile(r"[^\W\d_]+(['-][^\W\d_]+)*[,.;:!?]?")


class CallRefused(RuntimeError):
    """The server didn't take the call; `str(error)` says why, in its own words where it had any.

    Attributes:
        status: The HTTP status of the refusal; None if there was no HTTP answer to speak of.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class CallFailed(RuntimeError):
    """The call can't go on, or has ended; `str(error)` is a sentence that says why."""


def sentence(words: object) -> str:
    """Words of an exception or of a server as a sentence: a capital first, one full stop last.

    An address, a file or another name that begins it stays as it is written.
    """
    text = str(words).strip() or type(words).__name__
    if _PLAIN_WORD.fullmatch(text.split()[0]):
        text = text[0].upper() + text[1:]
    return text.rstrip(".") + ("" if text[-1] in "!?" else ".")


@contextmanager
def as_call_failed(what: str) -> Iterator[None]:
    """Raise `CallFailed` for whatever aiortc raises inside.

    aiortc raises its own `InvalidStateError`, `InvalidAccessError` and `OperationError`, and for a
    description it can't parse whatever its parser stumbles over (`ValueError`, `KeyError`,
    `AssertionError`, …): none of them says anything to the person who made the call. The cause is
    kept as `__cause__`.

    Args:
        what: What did not work, as the beginning of a sentence.
    """
    try:
        yield
    except CallFailed:
        raise
    except Exception as error:
        raise CallFailed(f"{what}: {sentence(error)}") from error
