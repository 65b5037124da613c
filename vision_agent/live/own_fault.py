"""Failures of this package's own code on what the model sent."""

from __future__ import annotations

from types import TracebackType


class OwnFault(RuntimeError):
    """This package's code failed on what the model sent; the cause is chained."""


class OwnCode:
    """Marks this package's failures where the same exception types mean an unreadable message.

    Inside it, `ValueError` and `TypeError` become `OwnFault`. It has no state, and is used for
    every message.

    Args:
        failure: What has failed, for the log.
    """

    __slots__ = ("_failure",)

    def __init__(self, failure: str) -> None:
        self._failure = failure

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, ValueError | TypeError):
            raise OwnFault(self._failure) from error
