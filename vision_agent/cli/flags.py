"""Flags that several commands have."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any


def with_flags(
    command: Callable[..., None],
    argument: str,
    flags: Iterable[inspect.Parameter],
    read: Callable[..., Any],
) -> Callable[..., None]:
    """Replace one of a command's parameters with flags.

    Args:
        command: The command; its parameters are keyword-only.
        argument: The parameter, which gets the result of `read`.
        flags: The flags, as the parameters of `read`.
        read: Called with the flags before the command.
    """
    flags = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in flags]

    @functools.wraps(command)
    def reading(**given: Any) -> None:
        values = {flag.name: given.pop(flag.name) for flag in flags}
        command(**{argument: read(**values)}, **given)

    signature = inspect.signature(command, eval_str=True)
    own = [each for name, each in signature.parameters.items() if name != argument]
    reading.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
    reading.__annotations__ = {}
    return reading
