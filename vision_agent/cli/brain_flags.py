"""Flags for the user's own servers that take over parts of the local Live API's work."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from vision_agent.cli.flags import with_flags

_PANEL = "Models of your own (docs/own-models.md)"


def _read(
    *,
    brain: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A server with OpenAI's chat interface, whose model answers, e.g. "
            "http://localhost:11434/v1.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    brain_model: Annotated[
        str | None,
        typer.Option(help="The model's name there [the only one].", rich_help_panel=_PANEL),
    ] = None,
    brain_images: Annotated[
        int | None,
        typer.Option(
            help="Frames that it is shown; 0: none, without vision [1].", rich_help_panel=_PANEL
        ),
    ] = None,
    brain_image_size: Annotated[
        int | None, typer.Option(help="Their longer side, in pixels [640].", rich_help_panel=_PANEL)
    ] = None,
    brain_timeout_s: Annotated[
        float | None,
        typer.Option(
            "--brain-timeout",
            help="Longest wait for its first word, and between words, in seconds [60].",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    whisper: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The Whisper model that recognises speech: a folder, or a name to download, "
            "such as small.en [base, bundled].",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    ears: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A server with OpenAI's transcription interface, which recognises speech.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    ears_model: Annotated[
        str | None,
        typer.Option(help="The model's name there [the only one].", rich_help_panel=_PANEL),
    ] = None,
    voice_model: Annotated[
        str | None,
        typer.Option(
            help="The model's name at the server of --voice [the only one].",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    voice_speaker: Annotated[
        str | None,
        typer.Option(help="The voice's name at that server [alloy].", rich_help_panel=_PANEL),
    ] = None,
) -> dict[str, Any]:
    given = {
        "brain": brain,
        "brain_model": brain_model,
        "brain_images": brain_images,
        "brain_image_size": brain_image_size,
        "brain_timeout_s": brain_timeout_s,
        "whisper": whisper,
        "ears": ears,
        "ears_model": ears_model,
        "voice_model": voice_model,
        "voice_speaker": voice_speaker,
    }
    return {name: value for name, value in given.items() if value is not None}


def brain_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags; it gets those that were given as `brain`, a dictionary."""
    flags = inspect.signature(_read, eval_str=True).parameters.values()
    return with_flags(command, "brain", flags, _read)


def as_arguments(given: dict[str, Any]) -> tuple[str, ...]:
    """The flags as arguments of `serve`."""
    return tuple(word for name, value in given.items() for word in (_flag(name), str(value)))


def _flag(name: str) -> str:
    return f"--{name.removesuffix('_s').replace('_', '-')}"
