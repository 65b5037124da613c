"""Live models and voices, and what each model supports. Checked before anything connects.

Source: the Live API's model and voice lists (ai.google.dev/gemini-api/docs/live, cloud.google.com
Vertex AI Live API), and what the services answer when asked for something else. Models and voices
appear faster than this list is updated: a name that it lacks is tried, with a word about it.
"""

from __future__ import annotations

import difflib
import re
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

MAX_NAME_CHARS = 300
"""The longest name of a model: `projects/…/locations/…/publishers/google/models/…` included."""

_NOT_LIVE = re.compile(
    r"gemini-(1\.0|1\.5|2\.0|2\.5|3|3\.1|3\.5|3\.7|3\.8)-(pro|flash|flash-lite)(-preview|-latest|-\d+)*"
    r"|(gpt|claude|llama|mistral)-.*"
)
"""Models for requests, as documented until November 2026, and other vendors'."""

_BY_LOWER = {name.lower(): name for name in VOICES}


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
        thinking: What it takes of a thinking configuration: nothing ("never"), a `thinking_budget`,
            a `thinking_level` (with which it takes a budget as well), a level without which it
            refuses the session ("required"), or either ("any").
        sound_out: Can answer in sound.
        text_out: Can answer in text instead of sound.
        role: Whether it answers, translates what it hears, or only transcribes it.
        shut_down: The day for which its shutdown is reported by its users; "" if none is known.
        background_tools: Tools for which the conversation does not wait: those declared
            NON_BLOCKING ("declared"), all that are not declared BLOCKING ("default"), or none.
        images_in_results: Reads pictures in `FunctionResponse.parts`. Other models are shown
            them as content.
        calls_in_history: Takes tool calls and their results as parts of a history. Other models
            refuse them and are told them in words.
    """

    name: str
    ai_studio: bool
    vertex: bool
    affective: bool = False
    proactive: Literal["never", "optional", "always"] = "never"
    thinking: Literal["never", "budget", "level", "required", "any"] = "never"
    sound_out: bool = True
    text_out: bool = False
    role: Literal["answer", "translate", "transcribe"] = "answer"
    shut_down: str = ""
    background_tools: Literal["never", "declared", "default"] = "declared"
    images_in_results: bool = False
    calls_in_history: bool = False


LIVE_MODELS: tuple[LiveModelInfo, ...] = (
    LiveModelInfo(
        "gemini-3.8-live",
        ai_studio=True,
        vertex=True,
        proactive="always",
        background_tools="default",
        images_in_results=True,
        calls_in_history=True,
    ),
    LiveModelInfo(
        "gemini-3.8-live-extended-thinking",
        ai_studio=True,
        vertex=False,
        proactive="always",
        thinking="required",
        background_tools="default",
        images_in_results=True,
        calls_in_history=True,
    ),
    LiveModelInfo(
        "gemini-3.1-flash-live-preview",
        ai_studio=True,
        vertex=False,
        thinking="level",
        shut_down="17 November 2026",
        background_tools="never",
        images_in_results=True,
        calls_in_history=True,
    ),
    *(
        LiveModelInfo(
            f"gemini-2.5-flash-native-audio-{version}",
            ai_studio=True,
            vertex=False,
            affective=True,
            proactive="optional",
            thinking="budget",
        )
        for version in ("preview-12-2025", "preview-09-2025", "latest")
    ),
    LiveModelInfo(
        "gemini-live-2.5-flash-native-audio",
        ai_studio=False,
        vertex=True,
        affective=True,
        proactive="optional",
        thinking="budget",
    ),
    LiveModelInfo(
        "gemini-live-2.5-flash", ai_studio=False, vertex=True, thinking="budget", text_out=True
    ),
    LiveModelInfo(
        "gemini-robotics-er-2-streaming-preview",
        ai_studio=True,
        vertex=False,
        thinking="any",
        sound_out=False,
        text_out=True,
    ),
    LiveModelInfo(
        "gemini-3.5-live-translate-preview",
        ai_studio=True,
        vertex=False,
        thinking="any",
        role="translate",
    ),
    LiveModelInfo(
        "gemini-3.5-transcribe-live",
        ai_studio=True,
        vertex=False,
        thinking="any",
        role="transcribe",
    ),
)

THIS_MACHINE = LiveModelInfo(
    LOCAL_MODEL,
    ai_studio=False,
    vertex=False,
    affective=True,
    proactive="optional",
    thinking="any",
    text_out=True,
    images_in_results=True,
    calls_in_history=True,
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


def model_habits(model: str) -> LiveModelInfo:
    """The entry of a model; for one that is newer than this list, what its generation does."""
    if (known := find_model(model)) is not None:
        return known
    name = bare_name(model)
    major = name.removeprefix("gemini-").partition(".")[0].partition("-")[0]
    recent = name.startswith("gemini-") and major.isdecimal() and int(major) >= 3
    return LiveModelInfo(
        name, ai_studio=True, vertex=True, images_in_results=recent, calls_in_history=recent
    )


def live_names(*, vertex: bool) -> list[str]:
    """The names of the live models of a backend, the preferred one first."""
    return [m.name for m in LIVE_MODELS if (m.vertex if vertex else m.ai_studio)]


def is_live(model: str) -> bool:
    """Whether a name is that of a live model, or may be by its form."""
    name = bare_name(model)
    if any(name == known.name for known in LIVE_MODELS):
        return True
    return name.startswith("gemini-") and ("live" in name or "native-audio" in name)


def is_known_not_live(model: str) -> bool:
    """Whether a name is that of a model which is known to answer no live session."""
    return _NOT_LIVE.fullmatch(bare_name(model)) is not None


def check_model(model: str, *, vertex: bool) -> None:
    """Raise `ModelError` if a model is known not to take part in a call on this backend.

    A name that is not in the list is the service's to judge; see `unlisted_model`.

    Args:
        model: Its name, with or without a prefix such as `models/`.
        vertex: Whether the credentials are for Vertex AI; otherwise for AI Studio.
    """
    name = bare_name(model)
    if not name or len(model) > MAX_NAME_CHARS or not name.isprintable() or " " in name:
        raise ModelError(f"{model[:40]!r} can't be the name of a model.")
    if is_known_not_live(name):
        raise ModelError(
            f"{name!r} is not a live model: it cannot take part in a call. "
            f"Live models: {', '.join(live_names(vertex=vertex))}. Choose one with --model."
        )
    known = find_model(name)
    if known in LIVE_MODELS and not (known.vertex if vertex else known.ai_studio):
        here, there = ("Vertex AI", "AI Studio") if vertex else ("AI Studio", "Vertex AI")
        raise ModelError(
            f"{name!r} is served by {there}, but the credentials here are for {here}. "
            f"Live models there: {', '.join(live_names(vertex=vertex))}."
        )


def unlisted_model(model: str, *, vertex: bool, has_key: bool = True) -> str | None:
    """A sentence about a model that is not in the list, and so is only tried; None if it is.

    Args:
        model: Its name.
        vertex: Whether the credentials are for Vertex AI.
        has_key: Whether there are credentials to try it with.
    """
    name = bare_name(model)
    if find_model(name) is not None:
        return None
    names = live_names(vertex=vertex)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.82)
    meant = f" Did you mean {near[0]}?" if near else ""
    tried = "it is tried as it is" if has_key else "with a key it would be tried as it is"
    return (
        f"The model {name!r} is not in this version's list of live models: {tried}."
        f"{meant} Known ones: {', '.join(names)}. Choose with --model."
    )


def official_voice(voice: str) -> str:
    """A voice's name as the list spells it, whatever its case; an unknown one unchanged."""
    return _BY_LOWER.get(voice.strip().lower(), voice.strip())


def unlisted_voice(voice: str) -> str | None:
    """A sentence about a voice that is not in the list, with the nearest names; None if it is."""
    if voice in VOICES:
        return None
    nearest = difflib.get_close_matches(voice.lower(), _BY_LOWER, n=3, cutoff=0.4)
    hint = ", ".join(_BY_LOWER[name] for name in nearest) or ", ".join(VOICES[:6]) + ", …"
    return f"There is no voice named {voice!r} in this version's list. Nearest: {hint}."
