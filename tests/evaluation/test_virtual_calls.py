"""Calls in virtual time: the product, its caller and a scripted Live API in one process."""

import shutil
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import RECORDINGS
from vision_agent.caller.recording import BadRecording
from vision_agent.evaluation.scripted_server import ScriptedServer
from vision_agent.evaluation.virtual_call import ServerNotStarted, VirtualCall
from vision_agent.evaluation.virtual_calls import VirtualCalls, VirtualProcessEnded
from vision_agent.replay import ReplayOptions, Report, replay

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

AGENT = '''
import os
import time

from google.adk.agents import Agent


def weigh(thing: str) -> dict:
    """Weigh a thing."""
    began_s = time.monotonic()
    time.sleep(4)
    return {"grams": 250, "took_4_s": 3.999 <= time.monotonic() - began_s}


def crash() -> dict:
    """Crash."""
    os._exit(3)


root_agent = Agent(name="scales", instruction="You weigh things.", tools=[weigh, crash])
'''

SCENARIO = """
engine: false
hears: [how heavy is it]
answers:
  - when: {words: how heavy}
    think_s: 1.5
    say: Let me see.
    call: {name: weigh, args: {thing: cup}}
  - when: {tool: weigh}
    say: "It weighs {grams} grams."
  - when: {words: crash}
    call: {name: crash}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls() -> AsyncIterator[VirtualCalls]:
    calls = VirtualCalls()
    yield calls
    await calls.close()


@pytest.fixture
def call(tmp_path: Path) -> VirtualCall:
    """A spoken question of 1.2 s to an agent with a tool that blocks its thread for 4 s."""
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales" / "agent.py").write_text(AGENT)
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    with wave.open(str(RECORDINGS / "speech" / "what-is-this.wav")) as file:
        spoken = (file.readframes(file.getnframes()), file.getframerate())
    return VirtualCall(
        {"agent": str(tmp_path / "scales")},
        tmp_path / "scenario.yaml",
        ReplayOptions(RECORDINGS / "bottle.mp4", "", say_pcm=spoken),
    )


async def in_real_time(call: VirtualCall) -> Report:
    async with ScriptedServer.running(call.settings, call.scenario) as server:
        return await replay(replace(call.options, url=server.url))


def what_happened(report: Report) -> list[object]:
    lines = [(line.who, line.text) for line in report.transcript]
    tools = [(tool.name, tool.arguments, tool.result) for tool in report.tool_calls]
    return [lines, tools, report.errors, report.answered, report.ended, report.interruptions]


async def test_a_call_has_the_report_that_it_has_in_real_time_and_every_one_the_same(
    calls: VirtualCalls, call: VirtualCall
):
    one, two = await calls.make(call), await calls.make(call)
    assert what_happened(one) == what_happened(two) == what_happened(await in_real_time(call))
    (tool,) = one.tool_calls
    assert tool.result == {"grams": 250, "took_4_s": True}
    for report in (one, two):
        (weighed,) = report.tool_calls
        assert weighed.ended_ms is not None
        # The machine's load changes nothing. Both are times at which the caller receives a notice,
        # and the first notice may have been under way for longer.
        assert 3900 <= weighed.ended_ms - weighed.at_ms <= 4300
        assert report.reply_ms is not None
        assert 1500 < report.reply_ms < 4000
        # "Let me see." and "It weighs 250 grams.", of 60 ms a character.
        assert report.agent_audio_ms == pytest.approx(60 * 31, abs=80)
        assert report.frames_sent >= 1


@pytest.mark.usefixtures("children_as_always")
async def test_what_goes_wrong_is_raised_here_and_the_next_call_is_made(
    calls: VirtualCalls, call: VirtualCall, tmp_path: Path
):
    with pytest.raises(ServerNotStarted, match="No agent at"):
        await calls.make(replace(call, settings={"agent": str(tmp_path / "nobody")}))
    with pytest.raises(ServerNotStarted, match="can't be read"):
        await calls.make(replace(call, scenario=tmp_path / "none.yaml"))
    with pytest.raises(BadRecording, match="There is no file"):
        await calls.make(replace(call, options=ReplayOptions(tmp_path / "none.mp4", "")))
    typed = ReplayOptions(call.options.file, "", typed="crash")
    with pytest.raises(VirtualProcessEnded, match="status 3"):
        await calls.make(replace(call, options=typed))
    (tmp_path / "scenario.yaml").write_text("engine: false\notherwise: {say: I am here.}\n")
    shutil.copytree(tmp_path / "scales", tmp_path / "other")
    settings = {"agent": str(tmp_path / "other")}
    typed = ReplayOptions(call.options.file, "", typed="hello")
    report = await calls.make(replace(call, settings=settings, options=typed))
    assert (report.errors, report.said()) == ([], "I am here.")
