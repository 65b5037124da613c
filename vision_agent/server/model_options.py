"""Makes the options of the model from `Settings`, without importing a server."""

from __future__ import annotations

from vision_agent.agents.options import ModelOptions
from vision_agent.settings import Settings


def model_options(settings: Settings) -> ModelOptions:
    """The model that answers calls, and its options.

    Raises:
        OwnModelError: One of the user's own servers has an unusable name.
    """
    return ModelOptions(settings.agent, settings.model, settings.answers(), settings.own_models())
