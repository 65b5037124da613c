"""Parts of an ADK agent that have no effect in a call, or need Google's service."""

from __future__ import annotations

from collections.abc import Iterator

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.code_executors import BuiltInCodeExecutor
from google.adk.models.google_llm import Gemini
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.enterprise_search_tool import EnterpriseWebSearchTool
from google.adk.tools.google_maps_grounding_tool import GoogleMapsGroundingTool
from google.adk.tools.google_search_tool import GoogleSearchTool
from google.adk.tools.url_context_tool import UrlContextTool
from google.adk.tools.vertex_ai_search_tool import VertexAiSearchTool

from vision_agent.agents.loader import all_agents, llm_agents, not_live
from vision_agent.live.adk_hooks import asks_for_confirmation, runs_live
from vision_agent.live.models import LOCAL_MODEL, bare_name, is_live

# They run inside Google's service. ADK refuses a request that offers one to another model.
_SERVICE_TOOLS = (
    GoogleSearchTool,
    UrlContextTool,
    EnterpriseWebSearchTool,
    GoogleMapsGroundingTool,
    VertexAiSearchTool,
)


def remove_service_tools(agent: LlmAgent) -> None:
    """Remove, in place, the tools that only Google's service can run."""
    agent.tools = [tool for tool in agent.tools if not isinstance(tool, _SERVICE_TOOLS)]
    if isinstance(agent.code_executor, BuiltInCodeExecutor):
        agent.code_executor = None


def misfits(root: BaseAgent, *, local: bool) -> Iterator[str]:
    """A sentence for each part of an agent tree that does not work in a call as intended.

    Args:
        root: The tree, before `install_model` changes it.
        local: Whether the local Live API answers.
    """
    for each in all_agents(root):
        if not runs_live(each):
            yield f"{not_live(each)}: no other agent can hand over to it."
    for agent in llm_agents(root):
        who = f"The agent {agent.name!r}"
        name = agent.model if isinstance(agent.model, str) else agent.model.model
        if local:
            if name and name != LOCAL_MODEL and not is_live(name):
                yield (
                    f"{who} names {name!r}, which is not a live model: the local Live API answers "
                    "in its place. With a key, choose a live one with --model."
                )
            for tool in agent.tools:
                if isinstance(tool, _SERVICE_TOOLS):
                    yield (
                        f"{who} has the tool {tool.name}, which runs at Google only: with the "
                        "local Live API the call does without it."
                    )
            if isinstance(agent.code_executor, BuiltInCodeExecutor):
                yield (
                    f"{who} has code executed at Google only: with the local Live API the call "
                    "does without it."
                )
        if agent.output_schema is not None:
            yield f"{who} has an output_schema, which a call does not apply: the answer is spoken."
        for tool in agent.tools:
            if asks_for_confirmation(tool):
                yield (
                    f"{who} has the tool {_name_of(tool)}, which waits for a confirmation: in a "
                    "call there is none, and it is not run."
                )
            if isinstance(tool, AgentTool):
                yield from _unreachable(who, tool.agent, local=local)
        if agent.output_key is not None:
            yield f"{who} has an output_key, in which a call stores nothing: the answer is spoken."
        if agent.on_model_error_callback is not None:
            yield f"{who} has an on_model_error_callback, which a call does not use."
        if agent.planner is not None:
            yield f"{who} has a planner, which a call does not use."


def _unreachable(who: str, used: BaseAgent, *, local: bool) -> Iterator[str]:
    """A sentence for each agent below a tool whose model can't answer."""
    for agent in llm_agents(used):
        model = agent.model
        if isinstance(model, Gemini):
            model = model.model
        if not isinstance(model, str):
            continue  # chosen by its author
        why = ""
        if is_live(model):
            why = "is for calls only: as a tool it needs one that is not live"
        elif local and bare_name(model).startswith("gemini"):
            why = "is at Google: without a key it fails"
        if why:
            yield f"{who} has the agent {agent.name!r} as a tool, whose model {model!r} {why}."


def _name_of(tool: object) -> str:
    return str(getattr(tool, "name", "") or getattr(tool, "__name__", type(tool).__name__))
