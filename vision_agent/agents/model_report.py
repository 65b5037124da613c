"""The content of `vision-agent models`: live models, their features, voices, the current choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vision_agent.agents.loader import AgentError, agent_specs, load_agent, root_of
from vision_agent.agents.model_choice import ModelChoice, choose_model
from vision_agent.agents.options import ModelOptions
from vision_agent.live.call_options import CallOptions
from vision_agent.live.models import (
    LIVE_MODELS,
    THIS_MACHINE,
    VOICES,
    ModelError,
    unlisted_voice,
)


def models_report(options: ModelOptions, environ: Mapping[str, str]) -> dict[str, Any]:
    """The report, as JSON takes it.

    Args:
        options: The agent, model and call options of a call that began now.
        environ: Where google-genai looks for credentials.

    Returns:
        `models` (one row each), `voices`, and `now`: the `model`, `brain`, `label` and `voice` of a
        call that began now, with `notes` about names that are only tried; or `error`: why there
        can't be one.
    """
    return {
        "models": [asdict(model) for model in (*LIVE_MODELS, THIS_MACHINE)],
        "voices": list(VOICES),
        "now": now(options, environ),
    }


def now(options: ModelOptions, environ: Mapping[str, str]) -> dict[str, Any]:
    """The report's part `now`."""
    try:
        call_options = CallOptions.read(options.answers)
        choice = _first_choice(options, call_options, environ)
    except (AgentError, ModelError) as error:
        return {"error": str(error)}
    voice = unlisted_voice(call_options.voice) if call_options.voice else None
    return {
        "model": choice.model,
        "brain": choice.page_kind,
        "label": choice.label,
        "voice": call_options.voice,
        "notes": [*choice.notes, *([voice] if voice else [])],
        "error": None,
    }


def _first_choice(
    options: ModelOptions, call_options: CallOptions, environ: Mapping[str, str]
) -> ModelChoice:
    """The choice of the agent that answers callers who name none, as in `AgentDirectory`."""
    unusable: list[ValueError] = []
    for spec, is_named in agent_specs(options.agent):
        try:
            choice = choose_model(
                root_of(load_agent(spec)), options.model, environ, options.own_models
            )
            choice.check(call_options)
        except (AgentError, ModelError) as error:
            if is_named:
                raise
            unusable.append(error)
        else:
            return choice
    raise unusable[0]
