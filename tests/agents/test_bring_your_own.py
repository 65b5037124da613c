"""Users' own agents, several on one server: ADK folders that use all of ADK's features."""

import asyncio
import shutil
import urllib.error

import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.support.dialling import Dialled, request
from tests.support.messages import said
from tests.support.samples import SAMPLES
from tests.support.waiting import until
from vision_agent import CallClient

# Callbacks that change arguments and results, a plugin that sees every tool, and a sub-agent.
FULL = """
from google.adk.agents import Agent
from google.adk.apps import App
from google.adk.plugins.base_plugin import BasePlugin


def double(number: int) -> dict:
    '''Doubles a number.'''
    return {"doubled": 2 * number}


def one_more(tool, args, tool_context):
    args["number"] += 1


class Journal(BasePlugin):
    async def after_tool_callback(self, *, tool, tool_args, tool_context, result):
        return {**result, "journal": f"{tool.name} was used"}


expert = Agent(name="expert", model="gemini-3.8-live", instruction="You know all.")
root_agent = Agent(
    name="full",
    model="gemini-3.8-live",
    description="Has everything.",
    instruction="You have everything.",
    tools=[double],
    before_tool_callback=one_more,
    sub_agents=[expert],
)
app = App(name="full", root_agent=root_agent, plugins=[Journal(name="journal")])
"""

# Its callback replaces an answer that reveals a secret.
GUARDED = """
from google.adk.agents import Agent
from google.adk.models.llm_response import LlmResponse
from google.genai import types


def watch_words(callback_context, llm_response):
    said = llm_response.output_transcription
    if said and "password" in (said.text or ""):
        part = types.Part(text="That stays with me.")
        return LlmResponse(content=types.Content(role="model", parts=[part]))


root_agent = Agent(
    name="guarded",
    model="gemini-2.5-flash-native-audio-preview-12-2025",
    after_model_callback=watch_words,
)
"""

# A streaming tool, which sees the caller's frames.
WATCHING = """
from collections.abc import AsyncGenerator

from google.adk.agents import Agent, LiveRequestQueue


async def count_frames(input_stream: LiveRequestQueue) -> AsyncGenerator[str, None]:
    'Counts the frames of the video.'
    counted = 0
    while counted < 2:
        request = await input_stream.get()
        if request.blob is not None and request.blob.mime_type == "image/jpeg":
            counted += 1
            yield f"frame {counted}"


root_agent = Agent(name="watching", model="gemini-3.8-live", tools=[count_frames])
"""

SCENARIO = """
    engine: false
    answers:
      - when: {words: count the frames}
        call: {name: count_frames}
      - when: {tool: count_frames}
        say: I count.
      - when: {words: "count_frames: frame 2"}
        say: There are two.
      - when: {words: tell me all}
        say: ["The first part of it is long. The password is swordfish.", "And there is more."]
      - when: {words: double it}
        call: {name: double, args: {number: 20}}
      - when: {tool: double}
        say: "It is {doubled}, and {journal}."
      - when: {words: how many screws}
        call: {name: check_stock, args: {name: M4 screws}}
      - when: {tool: check_stock}
        say: "Counted: {structuredContent}."
      - when: {words: six inches}
        call: {name: convert_length, args: {value: 6, unit: inches, to: centimetres}}
      - when: {tool: convert_length}
        say: "{length} {unit}."
    otherwise: {say: Go on.}
"""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents")
    (folder / "full").mkdir()
    (folder / "full" / "__init__.py").write_text("from . import agent\n")
    (folder / "full" / "agent.py").write_text(FULL)
    for name, code in (("guarded", GUARDED), ("watching", WATCHING)):
        (folder / name).mkdir()
        (folder / name / "agent.py").write_text(code)
    for name in ("basic", "workbench"):
        shutil.copytree(SAMPLES / name, folder / name)
    scenario = folder / "scenario.yaml"
    scenario.write_text(SCENARIO)
    async with serving("--agent", str(folder), "--scenario", str(scenario)) as server:
        yield server


async def ask(url: str, agent: str | None, text: str) -> str:
    caller = Dialled(url, data={"agent": agent} if agent else None)
    await caller.connect()
    caller.send("send-text", {"content": text})
    answer = said(await caller.wait_for(lambda m: bool(said(m)), timeout=60))
    await caller.hang_up()
    return answer


async def test_the_page_is_told_of_every_agent_of_a_folder(server):
    info = await asyncio.to_thread(request, "GET", f"{server.url}/api/info")
    assert [agent["id"] for agent in info["agents"]] == [
        "basic",
        "full",
        "guarded",
        "watching",
        "workbench",
    ]
    assert info["agents"][1]["description"] == "Has everything."
    assert info["agent"] == "basic"
    assert "Agents: basic, full, guarded, watching, workbench." in server.says[1]


async def test_callbacks_and_plugins_of_an_adk_app_work_in_a_call(server):
    answer = await ask(server.url, "full", "double it, please")
    assert answer == "It is 42, and double was used."


async def test_an_answer_that_a_callback_replaces_stops_and_other_words_are_shown(server):
    caller = Dialled(server.url, data={"agent": "guarded"})
    await caller.connect()
    caller.send("send-text", {"content": "Tell me all."})
    put = await caller.wait_for(lambda m: said(m) == "That stays with me.", timeout=60)
    # The rest of the seven seconds of generated sound is not played.
    await until(lambda: len(caller.voiced) > 10 and not any(caller.voiced[-10:]))
    assert sum(caller.voiced) < 100
    caller.send("send-text", {"content": "Hello?"})
    await caller.wait_for(lambda m: said(m) == "Go on.")
    await caller.hang_up()
    heard = [said(m) for m in caller.messages if said(m)]
    assert heard[-2:] == ["That stays with me.", "Go on."]
    assert not any("password" in each or "more" in each for each in heard)
    (shown,) = [each for each in caller.of("bot-output") if each["text"] == said(put)]
    assert shown["will_be_spoken"] is False


async def test_a_caller_cannot_switch_off_what_a_callback_reads(server):
    caller = Dialled(server.url, data={"agent": "guarded", "output_transcription": False})
    with pytest.raises(urllib.error.HTTPError) as refused:
        await caller.offer()
    assert refused.value.code == 400
    assert "checks what is said in a call by its transcript" in refused.value.read().decode()


async def test_a_program_is_told_what_a_callback_has_put_in_place_of_an_answer(server):
    async with CallClient(server.url, asked={"agent": "guarded"}) as call:
        answer = await call.type("Tell me all.")
        again = await call.type("Hello?")
    assert answer.text.endswith("That stays with me.")  # preceded by what was played
    assert "password" not in answer.text
    assert again.text == "Go on."


async def test_what_a_streaming_tool_finds_is_told_unasked(server):
    caller = Dialled(server.url, data={"agent": "watching"})
    await caller.connect()
    caller.send("send-text", {"content": "Count the frames."})
    await caller.wait_for(lambda m: said(m) == "There are two.")
    await caller.hang_up()
    assert "count_frames: frame 2" in [each["text"] for each in caller.of("unasked")]


async def test_tools_of_an_mcp_server_work_in_a_call(server):
    assert "120" in await ask(server.url, "workbench", "how many screws are there")
    assert await ask(server.url, "workbench", "six inches") == "15.24 centimetres."


async def test_a_caller_who_names_nobody_gets_the_first(server):
    assert await ask(server.url, None, "double it, please") != "It is 42, and double was used."


async def test_an_agent_that_is_not_here_is_refused_with_those_that_are(server):
    caller = Dialled(server.url, data={"agent": "nobody"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        await caller.offer()
    assert refused.value.code == 404
    assert "basic, full, guarded, watching, workbench" in refused.value.read().decode()
    await caller.peer.close()
