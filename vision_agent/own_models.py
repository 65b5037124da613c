"""Models of the user's own that do a part of the local Live API's work."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

OPENAI_HOST = "api.openai.com"

VARIABLE = "VISION_AGENT_BRAIN"

OPTIONS = (
    "brain",
    "brain_model",
    "brain_key",
    "brain_images",
    "brain_image_size",
    "brain_timeout_s",
    "whisper",
)
"""The options' names; `brain_key` is none of a command line."""

INSTALL = "pip install 'adk-video-call[brain]'"


class OwnModelError(ValueError):
    """A server of the user's own can't be used as it was named; the text says why."""


@dataclass(frozen=True, slots=True)
class Brain:
    """A server with OpenAI's chat-completions interface that answers.

    Attributes:
        url: Its base URL, which ends before `/chat/completions`.
        model: The model's name there; None takes the only one that the server has.
        key: What is sent as `Authorization: Bearer …`; None sends nothing.
        images: How many of the newest frames it is shown; 0 for a model without eyes.
        image_px: The longer side of those frames, in pixels.
        timeout_s: The longest wait for its first word, and between two words.
    """

    url: str
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    images: int = 1
    image_px: int = 640
    timeout_s: float = 60.0

    @property
    def answers_within_s(self) -> float:
        """The longest wait for its first sentence, thoughts included: twice that for a word."""
        return 2 * self.timeout_s

    @property
    def host(self) -> str:
        """`host` or `host:port`."""
        return urlsplit(self.url).netloc

    @property
    def label(self) -> str:
        """The model and the host, for people to read."""
        return f"{self.model} at {self.host}" if self.model else f"the model at {self.host}"


@dataclass(frozen=True, slots=True)
class OwnModels:
    """The models of one local Live API.

    Attributes:
        brain: What answers; None for the local engine.
        whisper: The Whisper that hears: a folder, or a name that faster-whisper fetches; None for
            the bundled one.
    """

    brain: Brain | None = None
    whisper: str | None = None

    @classmethod
    def read(cls, options: Mapping[str, Any], environ: Mapping[str, str]) -> Self:
        """Read the options `brain`, `brain_model`, `brain_images`, `brain_image_size`, and so on.

        Args:
            options: The options' values by name; None where one is not given.
            environ: Where OpenAI's own key is.

        Raises:
            OwnModelError: A URL can't be used, or the package that asks the servers is missing.
        """
        given, whisper = options.get("brain"), options.get("whisper") or None
        if not given:
            return cls(whisper=whisper)
        url = base_url(given, "--brain")
        if find_spec("openai") is None:
            raise OwnModelError(f"--brain needs the package openai: {INSTALL}")
        settings = {
            "images": options.get("brain_images"),
            "image_px": options.get("brain_image_size"),
            "timeout_s": options.get("brain_timeout_s"),
        }
        return cls(
            Brain(
                url,
                options.get("brain_model") or None,
                options.get("brain_key") or key_for(url, environ),
                **{name: value for name, value in settings.items() if value is not None},
            ),
            whisper,
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the `VISION_AGENT_…` variables, where there are no other options.

        Raises:
            OwnModelError: As `read`; or a number is none.
        """
        options: dict[str, Any] = {
            "brain": environ.get(VARIABLE, "").strip(),
            "brain_model": environ.get(f"{VARIABLE}_MODEL", "").strip(),
            "brain_key": environ.get(f"{VARIABLE}_KEY", "").strip(),
            "whisper": environ.get("VISION_AGENT_WHISPER", "").strip(),
        }
        for name, kind in (("images", int), ("image_size", int), ("timeout_s", float)):
            variable = f"{VARIABLE}_{name.upper()}"
            if text := environ.get(variable, "").strip():
                try:
                    options[f"brain_{name}"] = kind(text)
                except ValueError:
                    raise OwnModelError(f"{variable} is not a number: {text[:40]!r}.") from None
        return cls.read(options, environ)

    def to_json(self) -> str:
        """The models and the servers' keys as text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` has written."""
        fields = json.loads(text)
        return cls(Brain(**fields["brain"]) if fields["brain"] else None, fields["whisper"])


def base_url(given: str, option: str) -> str:
    """The base URL of a server, as clients of OpenAI's interface take it.

    Without a path it is `/v1`, where every such server has the interface; without a scheme it is
    `http://`.

    Raises:
        OwnModelError: It is no URL, or holds a user or a password.
    """
    text = given.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise OwnModelError(
            f"{option} is not the address of a server: write it like http://localhost:11434/v1."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise OwnModelError(
            f"{option} is an address without user, password and query; a key belongs into the "
            f"variable {option.lstrip('-').upper().join(('VISION_AGENT_', '_KEY'))}."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((parts.scheme, parts.netloc, path or "/v1", "", ""))


def key_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The key of a server that none was named for: OpenAI's own, for its own host alone."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname != OPENAI_HOST:
        return None
    return environ.get("OPENAI_API_KEY", "").strip() or None
