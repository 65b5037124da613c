"""Where a call's sound and frames go: the model services of an agent and its sub-agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from google.adk.agents.base_agent import BaseAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.google_llm import Gemini
from google.genai import types

from vision_agent.agents.loader import llm_agents

if TYPE_CHECKING:
    from vision_agent.agents.model_choice import ModelChoice

GOOGLE = "googleapis.com"


@dataclass(frozen=True, slots=True)
class Destination:
    """One model service.

    Attributes:
        service: `gemini` (Google's Gemini API), `vertex` (Google Cloud's Vertex AI), `custom` (the
            agent's own model object, base URL or client), or a server of the user's own: `brain`
            gets the words as text, and frames if the model takes them, `ears` the caller's speech,
            `voice` the agent's words.
        host: `host` or `host:port`; empty for Google's own hosts, and if it is unknown.
        model: The model's name.
    """

    service: Literal["gemini", "vertex", "custom", "brain", "ears", "voice"]
    host: str
    model: str


def destinations(
    choice: ModelChoice, root: BaseAgent, environ: Mapping[str, str]
) -> list[Destination]:
    """All services that the agents of a tree connect to, each once, the root agent's first.

    Args:
        choice: The chosen model. With the local Live API alone the list is empty: nothing leaves
            the server.
        root: The agent, before or after its models were installed.
        environ: The environment in which google-genai looks for another base URL.
    """
    if choice.kind == "local":
        services: tuple[Literal["brain", "ears", "voice"], ...] = ("brain", "ears", "voice")
        servers = choice.own.servers
        return [
            Destination(name, servers[name].host, servers[name].model or "")
            for name in services
            if name in servers
        ]
    usual = environ.get("GOOGLE_VERTEX_BASE_URL" if choice.vertex else "GOOGLE_GEMINI_BASE_URL", "")
    if choice.override is not None:
        return [_google(choice, choice.override, usual)]
    found = [_of(choice, agent.model, usual) for agent in llm_agents(root)]
    return list(dict.fromkeys(found))


def host_of(url: str) -> str:
    """`host` or `host:port` of a URL, without user, password, path and query."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # not a number
        port = ""
    host = parts.hostname or ""
    return f"[{host}]{port}" if ":" in host else host + port


def _of(choice: ModelChoice, model: str | BaseLlm, usual: str) -> Destination:
    if isinstance(model, str):
        return _google(choice, model or choice.model, usual)
    if isinstance(model, Gemini) and model.client is None:
        return _google(choice, model.model, _base_url(model) or usual)
    url = getattr(model, "base_url", None) or getattr(model, "api_base", None) or ""
    return Destination("custom", host_of(str(url)), model.model)


def _google(choice: ModelChoice, model: str, url: str) -> Destination:
    host = host_of(url)
    if host and host != GOOGLE and not host.endswith(f".{GOOGLE}"):
        return Destination("custom", host, model)
    return Destination("vertex" if choice.vertex else "gemini", "", model)


def _base_url(model: Gemini) -> str:
    options = (model.client_kwargs or {}).get("http_options")
    if isinstance(options, types.HttpOptions):
        options = options.model_dump()
    own = options.get("base_url") if isinstance(options, dict) else None
    return model.base_url or own or ""
