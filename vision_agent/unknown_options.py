"""Names that look like options but are not."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Iterable

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

PREFIX = "vision_agent_"

OF_OURS = frozenset({"local_key"})
"""Variables that one of our processes passes to another."""

logger = logging.getLogger(__name__)

_told: set[str] = set()


def nearest(name: str, options: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the option that was probably meant; None if none is close.

    Args:
        name: The name that was given.
        options: The names that there are.
        cutoff: How like they must be, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    found = difflib.get_close_matches(name.lower(), list(options), n=1, cutoff=cutoff)
    return next(iter(found), None)


def refuse_unknown(given: Iterable[str], options: Collection[str], title: str) -> None:
    """Refuse keyword arguments that are not options, in pydantic's way.

    Args:
        given: The given names.
        options: The names of the options.
        title: The name of the model, for the error.

    Raises:
        ValidationError: Lists every name that is not an option.
    """
    problems: list[InitErrorDetails] = []
    for name in given:
        if name not in options:
            near = nearest(name, options)
            text = f"{name!r} is not an option." + (f" Nearest: {near}." if near else "")
            # Braces in the text would be taken for placeholders.
            wrong = PydanticCustomError("unknown_option", "{text}", {"text": text})
            problems.append({"type": wrong, "loc": (name,), "input": None})
    if problems:
        raise ValidationError.from_exception_data(title, problems, hide_input=True)


def warn_of_unknown(variables: Iterable[str], options: Collection[str], where: str) -> None:
    """Log a warning for each variable with our prefix that is not an option, once per process.

    Args:
        variables: The names of all variables, in any case.
        options: The names of the options.
        where: Where the variables are set, for the message.
    """
    for variable in variables:
        name = variable.lower()
        option = name.removeprefix(PREFIX)
        if name == option or option in options or option in OF_OURS or name in _told:
            continue
        _told.add(name)
        near = nearest(option, options)
        meant = f" Nearest: {(PREFIX + near).upper()}." if near else ""
        logger.warning("%s (%s) is not an option.%s", variable.upper(), where, meant)
