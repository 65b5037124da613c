"""Live models and voices: which exist, and which support what. Checked before anything connects.

Source: the Live API's model and voice lists (ai.google.dev/gemini-api/docs/live, cloud.google.com
Vertex AI Live API), and what the services answer when asked for something else.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

LOCAL_MODEL = "local"
"""The name under which this machine's own Live API serves its engine."""

DEFAULT_MODEL = "gemini-3.8-live"
"""Served by AI Studio and by Vertex AI."""

VOICES: tuple[str, ...] = (
    "Zephyr", "Puck", "Charon", "Kore", "Fenrir", "Leda", "Orus", "Aoede", "Callirrhoe", "Autonoe",
    "Enceladus", "Iapetus", "Umbriel", "Algieba", "Despina", "Erinome", "Algenib", "Rasalgethi",
    "Laomedeia", "Achernar", "Alnilam", "Schedar", "Gacrux", "Pulcherrima", "Achird",
    "Zubenelgenubi", "Vindemiatrix", "Sadachbia", "Sadaltager", "Sulafat",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LiveModelInfo:
    """A model that answers BidiGenerateContent.

    Attributes:
        name: Without the `models/` prefix.
        ai_studio: Reached with a Gemini API key.
        vertex: Reached through Vertex AI.
        affective: It can follow the caller's manner of speaking, when asked to.
        proactive: Whether it may stay silent on what is not meant for it: when asked to
            ("optional"), in any case ("always"), or not at all ("never").
        thinking: It takes a thinking configuration.
        text_out: It can answer in text instead of sound.
        background_tools: Tools that the conversation need not wait for: those declared
            NON_BLOCKING ("declared"), all that are not declared BLOCKING ("default"), or none.
    """

    name: str
    ai_studio: bool
    vertex: bool
    affective: bool = False
    proactive: Literal["never", "optional", "always"] = "never"
    thinking: bool = False
    text_out: bool = False
    background_tools: Literal["never", "declared", "default"] = "declared"


LIVE_MODELS: tuple[LiveModelInfo, ...] = (
    LiveModelInfo(
        "gemini-3.8-live",
        ai_studio=True,
        vertex=True,
        proactive="always",
        background_tools="default",
    ),
    LiveModelInfo(
        "gemini-3.1-flash-live-preview",
        ai_studio=True,
        vertex=False,
        thinking=True,
        background_tools="never",
    ),
    LiveModelInfo(
        "gemini-2.5-flash-native-audio-preview-12-2025",
        ai_studio=True,
        vertex=False,
        affective=True,
        proactive="optional",
        thinking=True,
    ),
    LiveModelInfo(
        "gemini-live-2.5-flash-native-audio",
        ai_studio=False,
        vertex=True,
        affective=True,
        proactive="optional",
        thinking=True,
    ),
)

THIS_MACHINE = LiveModelInfo(
    LOCAL_MODEL,
    ai_studio=False,
    vertex=False,
    affective=True,
    proactive="optional",
    thinking=True,
    text_out=True,
)
"""This machine's own: it takes every option, so that all of them can be tried without a key."""


class ModelError(ValueError):
    """A model, voice or key that cannot work. The text is for a person to act on."""


def bare_name(model: str) -> str:
    """`models/x`, `projects/…/models/x` and `x` are all `x`."""
    return model.rsplit("/", 1)[-1]


def find_model(model: str) -> LiveModelInfo | None:
    """What is known of a model; None of one that is newer than this list."""
    name = bare_name(model)
    return next((known for known in (*LIVE_MODELS, THIS_MACHINE) if known.name == name), None)


def live_names(*, vertex: bool) -> list[str]:
    """Names of the live models that a backend serves, the preferred one first."""
    return [m.name for m in LIVE_MODELS if (m.vertex if vertex else m.ai_studio)]


def is_live(model: str) -> bool:
    """Whether a name is, or by its form plainly may be, a live model's.

    Models come out faster than lists are updated, so a Gemini name that says `live` or
    `native-audio` is let through: the service has the last word.
    """
    name = bare_name(model)
    if any(name == known.name for known in LIVE_MODELS):
        return True
    return name.startswith("gemini-") and ("live" in name or "native-audio" in name)


def check_model(model: str, *, vertex: bool) -> None:
    """Raise `ModelError` if a model cannot be talked to live on this backend."""
    name = bare_name(model)
    names = ", ".join(live_names(vertex=vertex))
    if not is_live(name):
        raise ModelError(
            f"{name!r} is not a live model: it cannot take part in a call. "
            f"Live models: {names}. Choose one with --model."
        )
    for known in LIVE_MODELS:
        if known.name == name and not (known.vertex if vertex else known.ai_studio):
            here, there = ("Vertex AI", "AI Studio") if vertex else ("AI Studio", "Vertex AI")
            raise ModelError(
                f"{name!r} is served by {there}, but the credentials here are for {here}. "
                f"Live models there: {names}."
            )


def check_voice(voice: str) -> str:
    """The voice's name in its own spelling; `ModelError` with the nearest names if unknown.

    The service accepts any name silently and falls back, so this is the only check there is.
    """
    by_lower = {name.lower(): name for name in VOICES}
    found = by_lower.get(voice.strip().lower())
    if found:
        return found
    nearest = difflib.get_close_matches(voice.strip().lower(), by_lower, n=3, cutoff=0.4)
    hint = ", ".join(by_lower[name] for name in nearest) or ", ".join(VOICES[:6]) + ", …"
    raise ModelError(f"There is no voice named {voice!r}. Nearest: {hint}.")
