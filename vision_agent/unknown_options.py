"""Names that look like options and are none."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Iterable

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

PREFIX = "vision_agent_"

OF_OURS = frozenset({"local_key"})
"""What one process of ours tells another."""

logger = logging.getLogger(__name__)

_told: set[str] = set()


def nearest(name: str, options: Iterable[str]) -> str | None:
    """The option that was probably meant; None if none is near."""
    return next(iter(difflib.get_close_matches(name.lower(), list(options), n=1)), None)


def refuse_unknown(given: Iterable[str], options: Collection[str], title: str) -> None:
    """Refuse keyword arguments that are no options, as pydantic refuses them.

    Args:
        given: The names.
        options: The options' names.
        title: What they are options of.

    Raises:
        ValidationError: For all of them.
    """
    problems: list[InitErrorDetails] = []
    for name in given:
        if name not in options:
            near = nearest(name, options)
            text = f"{name!r} is no option." + (f" Nearest: {near}." if near else "")
            # Braces would be taken for the message's own placeholders.
            wrong = PydanticCustomError("unknown_option", "{text}", {"text": text})
            problems.append({"type": wrong, "loc": (name,), "input": None})
    if problems:
        raise ValidationError.from_exception_data(title, problems, hide_input=True)


def warn_of_unknown(variables: Iterable[str], options: Collection[str], where: str) -> None:
    """Log each variable with our prefix that is no option, once in a process.

    Args:
        variables: All names there are, of whatever case.
        options: The options' names.
        where: Where the variables stand, for people.
    """
    for variable in variables:
        name = variable.lower()
        option = name.removeprefix(PREFIX)
        if name == option or option in options or option in OF_OURS or name in _told:
            continue
        _told.add(name)
        near = nearest(option, options)
        meant = f" Nearest: {(PREFIX + near).upper()}." if near else ""
        logger.warning("%s (%s) is no option.%s", variable.upper(), where, meant)
