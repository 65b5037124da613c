"""Models of the user's own that do a part of the local Live API's work."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

OPENAI_HOST = "api.openai.com"

OPTIONS = (
    "brain",
    "brain_model",
    "brain_images",
    "brain_image_size",
    "brain_timeout_s",
    "ears",
    "ears_model",
    "voice",
    "voice_model",
    "voice_speaker",
    "whisper",
)
"""The options' names. `voice` is a server only if it is a URL; otherwise it is a voice's name."""

KEYS = ("brain_key", "ears_key", "voice_key")
"""The keys' names, which are variables and no flags."""

_NUMBERS = {"brain_images": int, "brain_image_size": int, "brain_timeout_s": float}

_NO_ADDRESS = re.compile(r"[\s\"'<>\\]")

INSTALL = "pip install 'adk-video-call[brain]'"


class OwnModelError(ValueError):
    """A server of the user's own can't be used as it was named; the text says why."""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A server of the user's own with OpenAI's interface.

    Attributes:
        url: Its base URL, which ends before `/chat/completions`, `/audio/speech`, and so on.
        model: The model's name there; None takes the only one that the server has.
        key: The token sent as `Authorization: Bearer …`; None sends none.
    """

    url: str
    model: str | None = None
    key: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """`host` or `host:port`."""
        return urlsplit(self.url).netloc

    @property
    def label(self) -> str:
        """The model and the host, for people to read."""
        return f"{self.model} at {self.host}" if self.model else f"the model at {self.host}"


@dataclass(frozen=True, slots=True)
class Brain(OwnServer):
    """A server with the chat-completions interface that answers.

    Attributes:
        images: How many of the newest frames it is shown; 0 for a model without vision.
        image_px: The longer side of those frames, in pixels.
        timeout_s: The longest wait for its first word, and between two words.
    """

    images: int = 1
    image_px: int = 640
    timeout_s: float = 60.0

    @property
    def answers_within_s(self) -> float:
        """The longest wait for its first sentence, thoughts included: twice that for a word."""
        return 2 * self.timeout_s


@dataclass(frozen=True, slots=True)
class Ears(OwnServer):
    """A server with the interface `/audio/transcriptions`, which recognises speech."""


@dataclass(frozen=True, slots=True)
class SpeechServer(OwnServer):
    """A server with the interface `/audio/speech`, which speaks.

    Attributes:
        speaker: The name of the voice there.
    """

    speaker: str = "alloy"


@dataclass(frozen=True, slots=True)
class OwnModels:
    """The models of one local Live API; parts without a server run on this machine.

    Attributes:
        brain: The language model that answers.
        ears: The server that transcribes the caller's speech.
        voice: The server that speaks.
        whisper: The Whisper model on this machine: a folder, or a name that faster-whisper
            downloads; None for the bundled one.
    """

    brain: Brain | None = None
    ears: Ears | None = None
    voice: SpeechServer | None = None
    whisper: str | None = None

    @property
    def servers(self) -> dict[str, OwnServer]:
        """Those that are there, by the names of their options."""
        named = {"brain": self.brain, "ears": self.ears, "voice": self.voice}
        return {name: server for name, server in named.items() if server is not None}

    @property
    def label(self) -> str:
        """Who answers, hears and speaks, for people to read."""
        local = [name for name in ("ears", "voice") if name not in self.servers]
        if not self.brain:
            local.insert(0, "brain")
        own = [f"{server.label} (--{name})" for name, server in self.servers.items()]
        return ", ".join([*own, f"local {' and '.join(local)}"] if local else own)

    @classmethod
    def read(cls, options: Mapping[str, Any], environ: Mapping[str, str]) -> Self:
        """Read the options of `OPTIONS` and `KEYS`.

        Args:
            options: The options' values by name; None where one is not given.
            environ: The environment that holds OpenAI's own key.

        Raises:
            OwnModelError: A URL can't be used, or the package that asks the servers is missing.
        """

        def text(name: str) -> str | None:
            return (options.get(name) or "").strip() or None

        def server(name: str) -> tuple[str, str | None, str | None] | None:
            given = text(name)
            if not given or (name == "voice" and not is_url(given)):
                return None
            url = base_url(given, f"--{name}")
            if find_spec("openai") is None:
                raise OwnModelError(f"--{name} needs the package openai: {INSTALL}")
            key = text(f"{name}_key") or key_for(url, environ)
            return url, text(f"{name}_model"), key

        brain, ears, voice = server("brain"), server("ears"), server("voice")
        numbers = {
            "images": options.get("brain_images"),
            "image_px": options.get("brain_image_size"),
            "timeout_s": options.get("brain_timeout_s"),
        }
        return cls(
            brain and Brain(*brain, **{k: v for k, v in numbers.items() if v is not None}),
            ears and Ears(*ears),
            voice and SpeechServer(*voice, *filter(None, [text("voice_speaker")])),
            text("whisper"),
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the `VISION_AGENT_…` variables, if there are no other options.

        Raises:
            OwnModelError: As `read`; or a number is invalid.
        """
        options: dict[str, Any] = {}
        for name in (*OPTIONS, *KEYS):
            variable = f"VISION_AGENT_{name.upper()}"
            text = environ.get(variable, "").strip()
            if text:
                try:
                    options[name] = _NUMBERS.get(name, str)(text)
                except ValueError:
                    raise OwnModelError(f"{variable} is not a number: {text[:40]!r}.") from None
        return cls.read(options, environ)

    def to_json(self) -> str:
        """The models and the servers' keys as text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` has written."""
        given = json.loads(text)
        kinds = {"brain": Brain, "ears": Ears, "voice": SpeechServer}
        return cls(
            **{
                name: kinds[name](**one) if isinstance(one, dict) else one
                for name, one in given.items()
            }
        )


def is_url(given: str) -> bool:
    """Whether it is an address, and not a name."""
    return "://" in given


def base_url(given: str, option: str) -> str:
    """The base URL of a server, as clients of OpenAI's interface take it.

    Without a path it is `/v1`, where every such server has the interface; without a scheme it is
    `http://`.

    Raises:
        OwnModelError: It is no URL, or holds a user or a password.
    """
    text = given.strip()
    wrong = OwnModelError(
        f"{option} is not the address of a server: write it like http://localhost:11434/v1."
    )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or _NO_ADDRESS.search(text):
        raise wrong
    if parts.username or parts.password or parts.query or parts.fragment:
        raise OwnModelError(
            f"{option} takes an address without user, password and query; a key belongs in the "
            f"variable {option.lstrip('-').upper().join(('VISION_AGENT_', '_KEY'))}."
        )
    path = parts.path.rstrip("/")
    for end in ("/chat/completions", "/audio/transcriptions", "/audio/speech"):
        path = path.removesuffix(end)
    return urlunsplit((parts.scheme, parts.netloc, path or "/v1", "", ""))


def key_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The key of a server that none was named for: OpenAI's own, for its own host alone."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname != OPENAI_HOST:
        return None
    return environ.get("OPENAI_API_KEY", "").strip() or None
