"""Live models and voices, and what each model supports. Checked before anything connects.

Source: the Live API's model and voice lists (ai.google.dev/gemini-api/docs/live, cloud.google.com
Vertex AI Live API), and what the services answer when asked for something else.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

LOCAL_MODEL = "local"
"""The name of the local Live API's own engine."""

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
        ai_studio: Available with a Gemini API key.
        vertex: Available through Vertex AI.
        affective: Supports affective dialog.
        proactive: Whether it may stay silent on speech that is not addressed to it: on request
            ("optional"), always ("always"), or never ("never").
        thinking: Takes a thinking configuration.
        sound_out: Can answer in sound.
        text_out: Can answer in text instead of sound.
        role: Whether it answers, translates what it hears, or only transcribes it.
        shut_down: The day for which its shutdown is reported by its users; "" if none is known.
        background_tools: Tools for which the conversation does not wait: those declared
            NON_BLOCKING ("declared"), all that are not declared BLOCKING ("default"), or none.
    """

    name: str
    ai_studio: bool
    vertex: bool
    affective: bool = False
    proactive: Literal["never", "optional", "always"] = "never"
    thinking: bool = False
    sound_out: bool = True
    text_out: bool = False
    role: Literal["answer", "translate", "transcribe"] = "answer"
    shut_down: str = ""
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
        "gemini-3.8-live-extended-thinking",
        ai_studio=True,
        vertex=False,
        proactive="always",
        thinking=True,
        background_tools="default",
    ),
    LiveModelInfo(
        "gemini-3.1-flash-live-preview",
        ai_studio=True,
        vertex=False,
        thinking=True,
        shut_down="17 November 2026",
        background_tools="never",
    ),
    *(
        LiveModelInfo(
            f"gemini-2.5-flash-native-audio-{version}",
            ai_studio=True,
            vertex=False,
            affective=True,
            proactive="optional",
            thinking=True,
        )
        for version in ("preview-12-2025", "preview-09-2025", "latest")
    ),
    LiveModelInfo(
        "gemini-live-2.5-flash-native-audio",
        ai_studio=False,
        vertex=True,
        affective=True,
        proactive="optional",
        thinking=True,
    ),
    LiveModelInfo(
        "gemini-live-2.5-flash", ai_studio=False, vertex=True, thinking=True, text_out=True
    ),
    LiveModelInfo(
        "gemini-robotics-er-2-streaming-preview",
        ai_studio=True,
        vertex=False,
        thinking=True,
        sound_out=False,
        text_out=True,
    ),
    LiveModelInfo(
        "gemini-3.5-live-translate-preview",
        ai_studio=True,
        vertex=False,
        thinking=True,
        role="translate",
    ),
    LiveModelInfo(
        "gemini-3.5-transcribe-live",
        ai_studio=True,
        vertex=False,
        thinking=True,
        role="transcribe",
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
"""The local engine: it takes every option, so that all of them can be tried without a key."""


class ModelError(ValueError):
    """A model, voice or key can't be used. The text tells a person what to do."""


def bare_name(model: str) -> str:
    """The name without a prefix: `models/x` and `projects/…/models/x` become `x`."""
    return model.rsplit("/", 1)[-1]


def find_model(model: str) -> LiveModelInfo | None:
    """The entry of a model; None if it is newer than this list."""
    name = bare_name(model)
    return next((known for known in (*LIVE_MODELS, THIS_MACHINE) if known.name == name), None)


def live_names(*, vertex: bool) -> list[str]:
    """The names of the live models of a backend, the preferred one first."""
    return [m.name for m in LIVE_MODELS if (m.vertex if vertex else m.ai_studio)]


def is_live(model: str) -> bool:
    """Whether a name is that of a live model, or may be by its form.

    New models appear faster than this list is updated, so a Gemini name that contains `live` or
    `native-audio` is accepted: the service decides.
    """
    name = bare_name(model)
    if any(name == known.name for known in LIVE_MODELS):
        return True
    return name.startswith("gemini-") and ("live" in name or "native-audio" in name)


def check_model(model: str, *, vertex: bool) -> None:
    """Raise `ModelError` if a model can't take part in a call on this backend."""
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
    """The voice's name in its official spelling; `ModelError` with the nearest names if unknown.

    The service silently replaces an unknown voice, so this is the only check.
    """
    by_lower = {name.lower(): name for name in VOICES}
    found = by_lower.get(voice.strip().lower())
    if found:
        return found
    nearest = difflib.get_close_matches(voice.strip().lower(), by_lower, n=3, cutoff=0.4)
    hint = ", ".join(by_lower[name] for name in nearest) or ", ".join(VOICES[:6]) + ", …"
    raise ModelError(f"There is no voice named {voice!r}. Nearest: {hint}.")
