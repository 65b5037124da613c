"""The user's own servers: whether each one answers and has its model."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.doctor.finding import Finding
from vision_agent.own_models import OwnModelError, OwnServer
from vision_agent.settings import Settings


async def check_own_models(settings: Settings) -> Sequence[Finding]:
    """Ask each configured server for its list of models; send nothing else."""
    try:
        servers = settings.own_models().servers
    except OwnModelError:
        return []  # reported by `check_model`
    return [await _check(name, server) for name, server in servers.items()]


async def _check(name: str, server: OwnServer) -> Finding:
    # Imported here, because their package, openai, is optional.
    import httpx2
    import openai

    from vision_agent.local.brain.failures import PARTS, BrainFailure
    from vision_agent.local.openai_server import OpenAIServer

    client = OpenAIServer(server, f"--{name}-model")
    try:
        models = await client.models()
    except openai.NotFoundError:
        text = f"{server.host} is reached; it lists no models, so the name can't be checked."
        return Finding(name, "note", text)
    except BrainFailure as failure:
        return Finding(name, "problem", failure.sentence, "Correct its address.")
    except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
        found = client.failure(error, PARTS[name])
        return Finding(name, "problem", found.sentence, "Start it, or correct its address.")
    finally:
        await client.close()
    some = ", ".join(models[:8]) or "none"
    if server.model is not None and server.model not in models:
        text = f"{server.host} has no model {server.model}; it has: {some}."
        return Finding(name, "problem", text, f"Name one of them with --{name}-model.")
    if server.model is None and len(models) != 1:
        text = f"{server.host} has {len(models) or 'no'} models: {some}."
        return Finding(name, "problem", text, f"Name one with --{name}-model.")
    return Finding(name, "ok", f"{server.host} is reached and has {server.model or models[0]}.")
