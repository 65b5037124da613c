"""Files that agents store are kept in bounded memory, without an artifact service."""

from pathlib import Path

import pytest
from google.genai import types

from tests.conftest import serving
from vision_agent import CallClient
from vision_agent.agents import artifacts
from vision_agent.agents.artifacts import BoundedArtifacts

OF_ANN = {"app_name": "shop", "user_id": "ann", "session_id": "1"}


def text(length: int) -> types.Part:
    return types.Part(text="a" * length)


async def test_what_was_stored_longest_ago_goes_first(monkeypatch) -> None:
    monkeypatch.setattr(artifacts, "MAX_BYTES", 100)
    kept = BoundedArtifacts()
    for name in ("one", "two"):
        await kept.save_artifact(**OF_ANN, filename=name, artifact=text(40))
    assert await kept.save_artifact(**OF_ANN, filename="one", artifact=text(10)) == 1
    picture = types.Part.from_bytes(data=bytes(30), mime_type="image/png")
    await kept.save_artifact(**OF_ANN, filename="three", artifact=picture)
    assert await kept.list_artifact_keys(**OF_ANN) == ["one", "three"]
    with pytest.raises(ValueError, match="101 bytes"):
        await kept.save_artifact(**OF_ANN, filename="four", artifact=text(101))


KEEPS_FILES = """
from google.adk.agents import Agent
from google.adk.tools import ToolContext, load_artifacts
from google.genai import types


async def keep(what: str, tool_context: ToolContext) -> dict:
    "Keeps a note."
    version = await tool_context.save_artifact("note.txt", types.Part(text=what))
    return {"version": version, "files": await tool_context.list_artifacts()}


root_agent = Agent(
    name="keeper",
    model="gemini-3.8-live",
    instruction="The note: {artifact.note.txt?}",
    tools=[keep, load_artifacts],
)
"""

SCENARIO = """
engine: false
answers:
  - when: {words: keep}
    call: {name: keep, args: {what: keys}}
  - when: {tool: keep}
    say: "Version {version} of {files}."
"""


async def test_an_agent_stores_files_in_a_call(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(KEEPS_FILES)
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    arguments = ("--agent", str(tmp_path), "--scenario", str(scenario))
    async with serving(*arguments) as server, CallClient(server.url) as call:
        assert (await call.type("keep")).text == "Version 0 of ['note.txt']."
        assert (await call.type("keep")).text == "Version 1 of ['note.txt']."
