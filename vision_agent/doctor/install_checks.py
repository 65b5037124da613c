"""The installation, the agents, and the privacy of stored data."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vision_agent.agents.fit import misfits
from vision_agent.agents.loader import AgentError, agent_specs, load_agent, root_of
from vision_agent.agents.model_choice import choose_model
from vision_agent.data_folder import readable_by_others
from vision_agent.doctor.finding import Finding
from vision_agent.live.models import ModelError
from vision_agent.version import DISTRIBUTION, OTHER_DISTRIBUTION, __version__


def check_distribution() -> list[Finding]:
    """Check that no other distribution provides `vision_agent`: PyPI has one that does."""
    try:
        other = version(OTHER_DISTRIBUTION)
    except PackageNotFoundError:
        return [Finding("install", "ok", f"{DISTRIBUTION} {__version__}.")]
    return [
        Finding(
            "install",
            "warning",
            f"The distribution {OTHER_DISTRIBUTION} {other} is installed here too: another "
            "project's, or this one's under its former name. Both have a package vision_agent.",
            f"pip uninstall {OTHER_DISTRIBUTION}, then install {DISTRIBUTION} again "
            "(docs/install.md).",
        )
    ]


def check_agents(agent: str | None, model: str | None, environ: Mapping[str, str]) -> list[Finding]:
    """Check which agents can be called, and which of their features have no effect in a call."""
    specs = agent_specs(agent)
    found = []
    usable = 0
    for spec, is_named in specs:
        try:
            root = root_of(load_agent(spec))
            choice = choose_model(root, model, environ)
            usable += 1
            for misfit in misfits(root, local=choice.kind == "local"):
                found.append(Finding("agents", "note", misfit))
        except (AgentError, ModelError) as error:
            text = str(error)
            found.append(
                Finding("agents", "problem", text, "Mend it, or leave it out of --agent.")
                if is_named
                else Finding("agents", "warning", text, "It is left out; the others are served.")
            )
    if not usable:
        return []  # the model check reports it
    return found or [Finding("agents", "ok", f"{usable} can be called.")]


def check_privacy(folder: Path) -> list[Finding]:
    """Check that other users of this machine can't read what is stored of calls."""
    open_to_others = readable_by_others(folder)
    if not open_to_others:
        return [Finding("privacy", "ok", f"{folder} is for its owner alone, or not made yet.")]
    names = ", ".join(str(path) for path in open_to_others)
    return [
        Finding(
            "privacy",
            "warning",
            f"Other users of this machine can read what is kept of calls: {names}.",
            f"chmod -R go-rwx {folder}",
        )
    ]
