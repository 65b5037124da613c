"""Finds the agent to call: an ADK agent folder, a `module:attribute`, or the default agent."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.cli.utils.agent_loader import AgentLoader

from vision_agent.agents.default_agent import default_agent
from vision_agent.live.adk_hooks import declare, runs_live
from vision_agent.version import missing_extra

_NO_DOTENV = "ADK_DISABLE_LOAD_DOTENV"

_FILES = ("agent.py", "root_agent.yaml")

Agent = str | Path | BaseAgent | App
"""An agent as a setting names it (see `load_agent`), or the ADK agent or app itself."""


class AgentError(ValueError):
    """There is no usable agent. The text says what was expected and what was found."""


@contextmanager
def without_dotenv() -> Iterator[None]:
    """ADK loads no `.env` into the environment within the context.

    Otherwise it loads the first one in an agent's folder or above it, which overrides the variables
    of earlier ones.
    """
    before = os.environ.get(_NO_DOTENV)
    os.environ[_NO_DOTENV] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_NO_DOTENV]
        else:
            os.environ[_NO_DOTENV] = before


def load_agent(spec: Agent | None) -> App:
    """The ADK app to run.

    Args:
        spec: A folder with `agent.py` (a `root_agent` or an `app`) or `root_agent.yaml`, as
            `adk web` takes it, or `package.module:attribute`; an ADK agent or app; None for
            `default_agent`.

    Raises:
        AgentError: There is no such module or folder, it holds no ADK agent, or the agent's own
            code fails.
    """
    if spec is None:
        return App(name="vision_agent", root_agent=default_agent())
    if isinstance(spec, BaseAgent | App):
        return _as_app(spec, spec.name, spec.name)
    if not isinstance(spec, str | Path):
        what = f"The class {spec.__name__}" if isinstance(spec, type) else type(spec).__name__
        raise AgentError(
            f"{what} is not an ADK agent: give an agent, an app, a folder that holds agent.py with "
            "a root_agent, or package.module:attribute."
        )
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return _from_folder(folder.resolve())
    if isinstance(spec, str) and ":" in spec and not folder.exists():
        return _from_module(spec)
    raise AgentError(
        f"No agent at {str(spec)!r}: give a folder that holds agent.py with a root_agent, "
        "or package.module:attribute."
    )


class AgentSpec(NamedTuple):
    """One agent of a setting.

    Attributes:
        spec: As `load_agent` takes it.
        is_named: Whether the setting names the agent itself, not a folder that contains it.
    """

    spec: Agent | None
    is_named: bool = True


def agent_specs(spec: Agent | Sequence[Agent] | None) -> list[AgentSpec]:
    """The agents that a setting names.

    Args:
        spec: One agent, several (in a text with commas between them), or a folder of agent
            folders.

    Raises:
        AgentError: One of several agents is None, or there is no agent.
    """
    if spec is None or isinstance(spec, BaseAgent | App):
        return [AgentSpec(spec)]
    if isinstance(spec, Collection | Iterator) and not isinstance(spec, str | Mapping):
        several = list(spec)
        if not several or None in several:
            raise AgentError(
                "Of several agents none may be missing: one is None, or there is none."
            )
        return [each for one in several for each in agent_specs(one)]
    if not isinstance(spec, str | Path):
        return [AgentSpec(spec)]
    specs: list[AgentSpec] = []
    for part in (part.strip() for part in str(spec).split(",")):
        folder = Path(part).expanduser()
        inner = sorted({file.parent for name in _FILES for file in folder.glob(f"*/{name}")})
        if inner and not _is_agent_folder(folder):
            specs += (AgentSpec(str(each), is_named=False) for each in inner)
        elif part:
            specs.append(AgentSpec(part))
    return specs or [AgentSpec(None)]


def root_of(app: App) -> BaseAgent:
    """The app's root agent; `AgentError` if it has none that can take part in a call."""
    if not isinstance(app.root_agent, BaseAgent):
        raise AgentError(f"The app {app.name!r} has no root agent that can take part in a call.")
    if not runs_live(app.root_agent):
        raise AgentError(f"{not_live(app.root_agent)}: give a live agent, such as an LlmAgent.")
    for agent in llm_agents(app.root_agent):
        for tool in agent.tools:
            _check_declared(agent, tool)
    return app.root_agent


def _check_declared(agent: LlmAgent, tool: object) -> None:
    try:
        declare(tool)
    except Exception as error:
        # Any error of ADK and pydantic over an annotation would end every call.
        name = getattr(tool, "name", None) or getattr(tool, "__name__", type(tool).__name__)
        why = " ".join(str(error).partition("\n\n")[0].split())
        raise AgentError(
            f"A model can't be told of the tool {name!r} of the agent {agent.name!r}: {why}"
        ) from error


def not_live(agent: BaseAgent) -> str:
    """The beginning of a sentence about an agent that ADK can't run in a call."""
    return f"The agent {agent.name!r} is a {type(agent).__name__}, which ADK can't run in a call"


def all_agents(agent: BaseAgent) -> Iterator[BaseAgent]:
    """Every agent below and including this one."""
    yield agent
    for child in agent.sub_agents:
        yield from all_agents(child)


def llm_agents(agent: BaseAgent) -> Iterator[LlmAgent]:
    """Every agent below and including this one that has a model."""
    return (each for each in all_agents(agent) if isinstance(each, LlmAgent))


def _from_folder(folder: Path) -> App:
    if not _is_agent_folder(folder):
        raise AgentError(
            f"{folder} holds no agent.py: an ADK agent folder has one with root_agent, "
            "or a root_agent.yaml."
        )
    try:
        found = AgentLoader(str(folder.parent)).load_agent(folder.name)
    except (Exception, SystemExit) as error:
        # The agent's own code runs here and may raise anything.
        if how := missing_extra(error):
            raise AgentError(
                f"The agent in {folder} needs what is not installed: {how}."
            ) from error
        raise AgentError(f"The agent in {folder} can't be loaded: {_why(error)}") from error
    return _as_app(found, folder.name, str(folder))


def _why(error: BaseException) -> str:
    return f"its code exits ({error})" if isinstance(error, SystemExit) else str(error)


def _is_agent_folder(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (*_FILES, "__init__.py"))


def _from_module(spec: str) -> App:
    module_name, _, attribute = spec.partition(":")
    # `python -m` has the working folder on its path; a console script does not.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        if how := missing_extra(error):
            raise AgentError(f"{module_name!r} needs what is not installed: {how}.") from error
        raise AgentError(f"The module {module_name!r} can't be imported: {_why(error)}") from error
    found = getattr(module, attribute, None)
    if found is None:
        raise AgentError(f"The module {module_name!r} has no {attribute!r}.")
    return _as_app(found, module_name.rpartition(".")[2], spec)


def _as_app(found: object, name: str, where: str) -> App:
    if isinstance(found, App):
        root_of(found)
        return found
    if isinstance(found, BaseAgent):
        safe = name if name.isidentifier() and name != "user" else found.name
        return App(name=safe, root_agent=found)
    raise AgentError(f"What is at {where} is not an ADK agent but a {type(found).__name__}.")
