"""The whole circle: a call in Chromium is recorded, becomes a case, and fails a spoiled agent."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import chromium
from tests.browser.conftest import SPEECH
from tests.browser.fake_devices import microphone_file
from tests.support.chat_server import chat_server
from tests.support.forked import run_forked
from tests.support.forked_product import ForkedServer
from tests.support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

AGENT = """
from google.adk.agents import Agent

root_agent = Agent(
    name="clerk",
    model="gemini-3.8-live",
    instruction="You sell bottles. The colour of this label is {colour}. The shop closes at six.",
)
"""


def from_instruction(request: dict[str, Any]) -> list[str]:
    """The sentence of the instruction that has most words in common with the question.

    It stands in for a language model: what it says comes from the agent's instruction alone.
    """
    system, *_, last = (message["content"] for message in request["messages"])
    asked = long_words(last if isinstance(last, str) else last[0]["text"])
    sentences = re.split(r"(?<=[.!?])\s+", system)
    return [max(sentences, key=lambda sentence: len(long_words(sentence) & asked))]


def long_words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


async def test_a_call_in_chromium_becomes_a_case_that_fails_once_the_instruction_is_spoiled(
    playwright, bottle, open_page, tmp_path, monkeypatch
):
    agent, kept, suite = tmp_path / "clerk", tmp_path / "recordings", tmp_path / "suite.yaml"
    agent.mkdir()
    (agent / "agent.py").write_text(AGENT.format(colour="blue"))
    suite.write_text("agents: [clerk]\n")
    microphone = microphone_file(
        [4.0, SPEECH / "what-colour-is-this.wav", 40.0], tmp_path / "m.wav"
    )
    async with chat_server() as brain:
        brain.answers = from_instruction
        monkeypatch.setenv("VISION_AGENT_BRAIN", brain.url)
        async with (
            ForkedServer("--agent", str(agent), "--record", str(kept)) as server,
            chromium(playwright, camera=bottle, microphone=microphone) as browser,
        ):
            caller = await open_page(browser, server.url)
            await caller.call()
            assert "label is blue" in await caller.reads_answer()
            await caller.sees_state("listening")
            await caller.types("When does the shop close?")
            await caller.sees_state("speaking")
            await caller.press("hang-up")
            [call] = await until(lambda: list(filter(is_complete, kept.iterdir())))

        # The question that was spoken, without the one that was typed.
        cut = ["--from", f"{began_s(call) - 1:.3f}", "--to", f"{typed_s(call) - 0.01:.3f}"]
        written = await run("case", call, *cut, "--name", "colour", "--suite", suite, "--copy")
        assert 'said: {any: ["The colour of this label is blue."]}' in written.stdout, written
        assert "typed" not in written.stdout
        shutil.rmtree(call)
        edit(suite)
        spoiled = tmp_path / "spoiled"
        spoiled.mkdir()
        (spoiled / "agent.py").write_text(AGENT.format(colour="green"))
        results = tmp_path / "results.json"
        judged = await run("eval", suite, "--json", results)
        assert judged.returncode == 1, judged.stdout + judged.stderr
        status = {one["agent"]: one["status"] for one in json.loads(results.read_bytes())["cases"]}
        assert status == {"clerk": "passed", "spoiled": "failed"}, judged.stdout
        assert "The agent said: The colour of this label is green." in judged.stdout


async def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = map(str, arguments)
    return await asyncio.to_thread(run_forked, "vision_agent", *words, timeout=240)


def lines(call: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (call / "call.jsonl").read_text().splitlines()]


def is_complete(call: Path) -> bool:
    return '"kind": "ended"' in (call / "call.jsonl").read_text().rstrip().rpartition("\n")[2]


def began_s(call: Path) -> float:
    """When the caller began to speak."""
    sent = (line for line in lines(call) if line["kind"] == "sent")
    return next(x["at_ms"] for x in sent if x["message"]["type"] == "user-started-speaking") / 1000


def typed_s(call: Path) -> float:
    """When the caller typed."""
    received = (line for line in lines(call) if line["kind"] == "received")
    return next(x["at_ms"] for x in received if x["message"]["type"] == "send-text") / 1000


def edit(suite: Path) -> None:
    """Edits the case as a person would: the reply time depends on this machine."""
    text = suite.read_text().replace("agents: [clerk]", "agents: [clerk, spoiled]")
    kept = [line for line in text.splitlines() if "reply_ms" not in line]
    suite.write_text("\n".join(kept) + "\n")
