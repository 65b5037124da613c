"""Failures of this package's own code on what the model sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class OwnFault(RuntimeError):
    """Code of ours failed on what the model sent; the cause is chained."""


@contextmanager
def own_code(doing: str) -> Iterator[None]:
    """Code of ours that runs where garbage of the service's is looked for, with the same types.

    Raises:
        OwnFault: It failed.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        raise OwnFault(doing) from error
