"""Chooses the model that answers: Gemini, if there are credentials, or the local Live API.

Mistakes in a model, a voice or a key are found here, before anybody calls.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from google.adk.agents.base_agent import BaseAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.google_llm import Gemini

from vision_agent.agents.destinations import host_of
from vision_agent.agents.fit import remove_service_tools
from vision_agent.agents.loader import llm_agents
from vision_agent.data_folder import data_folder, private_folder
from vision_agent.live.adk_hooks import pinned_api_version
from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.gemini import gemini, local_gemini, made_resilient
from vision_agent.live.local_process import LocalApi, LocalLiveApi
from vision_agent.live.models import (
    DEFAULT_MODEL,
    LOCAL_MODEL,
    ModelError,
    bare_name,
    check_model,
    find_model,
    is_known_not_live,
    live_names,
    unlisted_model,
)
from vision_agent.live.option_checks import check_options
from vision_agent.own_models import OwnModels

KEY_PAGE = "https://aistudio.google.com/apikey"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The choice.

    Attributes:
        kind: `local`, `gemini`, or `custom` if the agent has a model object of its own.
        model: The root agent's model.
        label: The model and the reason, for people to read.
        override: A model for every agent of the tree; None keeps each agent's own.
        vertex: Whether the credentials are for Vertex AI.
        notes: A sentence for each model that is not in the list, and so is only tried.
        api_version: The version of the Live API that the root agent's own model is pinned to.
        own_options: The fields of `CallOptions` that the root agent's author has chosen; a call may
            override them.
        own: The user's own servers that take over parts of the local Live API.
    """

    kind: Literal["local", "gemini", "custom"]
    model: str
    label: str
    override: str | None = None
    vertex: bool = False
    notes: tuple[str, ...] = ()
    api_version: str | None = None
    own_options: Mapping[str, Any] = field(default_factory=dict)
    own: OwnModels = field(default_factory=OwnModels)

    @property
    def thinks_for_s(self) -> float:
        """How long the user's own model may take to its first word; 0 for other models."""
        return self.own.brain.answers_within_s if self.own.brain is not None else 0.0

    @property
    def page_kind(self) -> str:
        """The kind as the page and reports name it: `own` with the user's own servers."""
        return "own" if self.own.servers else self.kind

    def check(self, options: CallOptions) -> None:
        """Raise `ModelError` if the model that was chosen does not support a call's options."""
        thinks = options.thinking_level or options.thinking_budget is not None
        check_options(
            options if thinks else options.model_copy(update=dict(self.own_options)),
            self.model,
            local=self.kind == "local",
            api_version=self.api_version,
        )


def choose_model(
    root: BaseAgent,
    model: str | None,
    environ: Mapping[str, str],
    own_models: OwnModels | None = None,
) -> ModelChoice:
    """Choose who answers; depends only on the arguments.

    Args:
        root: The agent to call.
        model: The model of the settings: a live model's name, `local`, or None.
        environ: The environment in which google-genai looks for credentials.
        own_models: The user's own servers: with one, the local Live API answers even if there are
            credentials.

    Raises:
        ModelError: There is no key for a Gemini model, or the service of the key does not have it;
            or a server of the user's own and a live model are named.
    """
    if own_models and own_models.servers:
        if model not in (None, LOCAL_MODEL):
            name, server = next(iter(own_models.servers.items()))
            raise ModelError(
                f"{model!r} does not use the {name} at {server.host}: leave --model or --{name} "
                f"out (VISION_AGENT_MODEL, VISION_AGENT_{name.upper()})."
            )
        return replace(_local(root, own_models.label), own=own_models)
    if model == LOCAL_MODEL:
        return _local(root, "local Live API: asked for with --model local")
    vertex = uses_vertex(environ)
    has_key = bool(environ.get("GOOGLE_API_KEY") or environ.get("GEMINI_API_KEY"))
    own = root_model(root)
    if isinstance(own, BaseLlm) and not isinstance(own, Gemini):
        return ModelChoice("custom", own.model, f"the agent's own {type(own).__name__} {own.model}")
    if model is None and not (vertex or has_key):
        if isinstance(own, Gemini) and own.base_url:
            return ModelChoice("custom", own.model, f"{own.model} at {host_of(own.base_url)}")
        return _local(root, "local Live API: no key set")
    if vertex and not (environ.get("GOOGLE_CLOUD_PROJECT") or has_key):
        raise ModelError(
            "Vertex AI is asked for (GOOGLE_GENAI_USE_VERTEXAI), but GOOGLE_CLOUD_PROJECT is not "
            "set. Set it and GOOGLE_CLOUD_LOCATION, or use --model local."
        )
    if model is not None and is_known_not_live(model):
        check_model(model, vertex=vertex)  # refused first, because no key would help
    if not (vertex or has_key):
        what = unlisted_model(model, vertex=vertex, has_key=False) if model else None
        raise ModelError(
            f"There is no key for {model!r}: set GOOGLE_API_KEY (from {KEY_PAGE}), "
            "or leave --model out to use the local Live API." + (f" {what}" if what else "")
        )
    asked = [model] if model is not None else []
    for agent in () if asked else llm_agents(root):
        if (name := _name(agent.model)) and is_known_not_live(name):
            raise ModelError(
                f"The agent {agent.name!r} uses {name!r}, which is not a live model: it cannot "
                f"take part in a call. Live models: {', '.join(live_names(vertex=vertex))}. "
                "Choose one with --model."
            )
        asked += [name] if name else []
    for name in asked:
        check_model(name, vertex=vertex)
    chosen = model or _name(own) or DEFAULT_MODEL
    unlisted = (unlisted_model(name, vertex=vertex) for name in dict.fromkeys((*asked, chosen)))
    return ModelChoice(
        "gemini",
        chosen,
        f"Gemini {bare_name(chosen)}",
        override=model,
        vertex=vertex,
        notes=tuple(filter(None, unlisted)),
        api_version=pinned_api_version(own) if isinstance(own, Gemini) and not model else None,
        own_options=own_thinking(root),
    )


@asynccontextmanager
async def live_brain(root: BaseAgent, model: str | None = None) -> AsyncIterator[ModelChoice]:
    """Give an agent a live model within the context, in any program that uses ADK.

    With credentials that is Gemini; otherwise the local Live API, which is started and ended here.
    VISION_AGENT_BRAIN, _EARS and _VOICE name servers of the user's own that do a part of its work.

    Args:
        root: The agent; its model, and those of its sub-agents, are replaced in place.
        model: A live model's name, or `local`; None takes the agent's own.

    Yields:
        The choice; its `label` says which model answers, and why.

    Raises:
        ModelError: There is no key for a Gemini model, or the service of the key does not have it.
        OwnModelError: The address or name of the user's own server can't be used.
        LocalLiveApiError: The local Live API does not start.
    """
    own_models = OwnModels.from_environ()
    choice = choose_model(root, model, os.environ, own_models)
    local = None
    if choice.kind == "local":
        private_folder(data_folder())
        local = await LocalLiveApi.start(data_dir=data_folder(), own_models=own_models)
    try:
        install_model(choice, root, local)
        yield choice
    finally:
        if local is not None:
            await local.close()


def root_model(root: BaseAgent) -> str | BaseLlm:
    """The model of the first agent that has one; empty if none has."""
    first = next(llm_agents(root), None)
    return first.model if first else ""


def own_thinking(root: BaseAgent) -> dict[str, Any]:
    """The thinking settings by the author of the first agent that has a model."""
    first = next(llm_agents(root), None)
    config = first.generate_content_config if first else None
    thinking = config.thinking_config if config else None
    level = thinking.thinking_level if thinking else None
    budget = thinking.thinking_budget if thinking else None
    chosen = {"thinking_level": level.value.lower() if level else None, "thinking_budget": budget}
    return {name: value for name, value in chosen.items() if value is not None}


def install_model(choice: ModelChoice, root: BaseAgent, local: LocalApi | None) -> None:
    """Give every agent of the tree its live model, in place.

    Args:
        choice: The choice.
        root: The tree.
        local: The running local Live API, if that is the choice.
    """
    for agent in llm_agents(root):
        # A planner would ask for tags that are spoken, or for thinking that the model may not have.
        agent.planner = None
        own = agent.model
        # The agent's own voice is kept, whichever model speaks.
        speech = own.speech_config if isinstance(own, Gemini) else None
        if local is not None:
            remove_service_tools(agent)
            agent.model = local_gemini(
                local,
                # The local Live API then behaves like that model.
                model=_local_name(_name(own)),
                speech=speech,
            )
        elif choice.override is not None:
            agent.model = gemini(choice.override, speech=speech)
        elif isinstance(own, Gemini):
            agent.model = made_resilient(own)
        elif isinstance(own, str):
            agent.model = gemini(own or choice.model)


def _local(root: BaseAgent, label: str) -> ModelChoice:
    name = _local_name(_name(root_model(root)))
    return ModelChoice("local", name, label, own_options=own_thinking(root))


def _name(model: str | BaseLlm) -> str:
    return model if isinstance(model, str) else model.model


def _local_name(model: str) -> str:
    """Known models keep their name; any other becomes `local`."""
    return bare_name(model) if find_model(model) is not None else LOCAL_MODEL


def uses_vertex(environ: Mapping[str, str]) -> bool:
    """Whether google-genai would use Vertex AI with these credentials."""
    return any(
        environ.get(name, "").strip().lower() in ("1", "true")
        for name in ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE")
    )
