"""Failures of this package's own code on what the model sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class OwnFault(RuntimeError):
    """This package's code failed on what the model sent; the cause is chained."""


@contextmanager
def own_code(doing: str) -> Iterator[None]:
    """Marks this package's failures where the same exception types mean an unreadable message.

    Args:
        doing: What fails, for the log.

    Raises:
        OwnFault: The code inside has raised `ValueError` or `TypeError`.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        raise OwnFault(doing) from error
