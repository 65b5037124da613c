"""A flag for each option of how the agent answers, made from their settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args

import typer

from vision_agent.answer_settings import AnswerSettings
from vision_agent.cli.flags import with_flags

_PANEL = "How the agent answers (docs/options.md)"
_NAMES = {"modalities": ("--modalities", "--modality")}
"""Settings whose flag has several names."""


def answer_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags; it gets those that were given as `answers`, a dictionary."""
    flags = (
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                _type_of(field.annotation) | None,
                typer.Option(*_NAMES.get(name, ()), help=field.description, rich_help_panel=_PANEL),
            ],
        )
        for name, field in AnswerSettings.model_fields.items()
    )
    return with_flags(command, "answers", flags, _given)


def _given(**answers: Any) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if value is not None}


def check_answers(answers: dict[str, Any]) -> None:
    """Check the options of a call before a server is started for it.

    Raises:
        ModelError: An option is invalid; the text says which.
    """
    from vision_agent.live.call_options import CallOptions

    CallOptions.read(answers)


def _type_of(annotation: Any) -> type:
    """The type of a flag; a list is written with commas."""
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not type(None)]
    return kinds[0] if kinds[0] in (int, bool) else str
