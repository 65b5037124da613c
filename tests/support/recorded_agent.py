"""The agent that a recorded session was made with: its model, its instruction and its tools."""

from __future__ import annotations

from typing import Any

from google.adk.agents.llm_agent import LlmAgent
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types
from google.oauth2.credentials import Credentials

from tests.support.recorded_service import RecordedService
from tests.support.recorded_sessions import RecordedSession
from vision_agent.live.connection.gemini import LiveGemini, gemini_at


class RecordedTool(BaseTool):
    """A tool of the recorded agent, which returns the recorded results.

    Attributes:
        runs: The arguments of each run.
    """

    def __init__(self, declaration: dict[str, Any], session: RecordedSession) -> None:
        super().__init__(name=declaration["name"], description=declaration.get("description", ""))
        self._declaration = types.FunctionDeclaration.model_validate(declaration)
        self._results = recorded_results(session)
        self.runs: list[dict[str, Any]] = []

    def _get_declaration(self) -> types.FunctionDeclaration:
        return self._declaration.model_copy(deep=True)

    async def run_async(self, *, args: dict[str, Any], tool_context: ToolContext) -> Any:
        self.runs.append(args)
        return self._results.get(tool_context.function_call_id, {})


def recorded_results(session: RecordedSession) -> dict[str, Any]:
    """The results that the recorded client sent, by the ids of the calls."""
    return {
        response.get("id", ""): response["response"]
        for message in session.sent_by("client")
        for response in message.get("tool_response", {}).get("functionResponses", [])
    }


def recorded_tools(session: RecordedSession) -> list[RecordedTool]:
    """The tools that the recorded setup declares."""
    return [
        RecordedTool(declaration, session)
        for tool in session.setup.get("tools", [])
        for declaration in tool.get("functionDeclarations", [])
    ]


def recorded_model(service: RecordedService, name: str, session: RecordedSession) -> LiveGemini:
    """The model of a recording, accessed as its own service: by a key, or by a token."""
    model = gemini_at(
        f"https://127.0.0.1:{service.port}", service.certificate_pem, name, model=session.model
    )
    if session.on_vertex:
        del model.client_kwargs["api_key"]
        model.client_kwargs |= {
            "enterprise": True,
            "project": "a-project",
            "location": "us-central1",
            "credentials": Credentials(token=name),
        }
    return model


def recorded_agent(
    service: RecordedService, name: str, session: RecordedSession, *tools: BaseTool
) -> LlmAgent:
    """The agent of a recording, for the client that calls itself ``name``."""
    instruction = session.setup.get("systemInstruction", {"parts": [{"text": "Help."}]})
    return LlmAgent(
        name="recorded",
        model=recorded_model(service, name, session),
        instruction=instruction["parts"][0]["text"],
        tools=list(tools),
    )
