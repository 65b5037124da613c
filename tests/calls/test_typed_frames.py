"""Typed questions are answered from the frame that they carry, with any client.

The local Live API shows a typed turn no streamed frame, as the real service does, so an answer that
describes a frame has got it with the words.
"""

import asyncio
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.support.dialling import TEXT
from tests.support.forked import start_forked
from vision_agent import CallClient
from vision_agent.replay import ReplayOptions, replay

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCENARIO = """
    engine: false
    habits: {typed_sees_stream: false}
    answers:
      - when: {words: what do you see, frames: 1}
        say: I see a frame.
    otherwise: {say: I see nothing.}
"""
QUESTION = "what do you see?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory):
    scenario = tmp_path_factory.mktemp("typed") / "scenario.yaml"
    scenario.write_text(SCENARIO)
    async with serving("--scenario", str(scenario)) as server:
        yield server.url


async def by_program(url: str, bottle: Path) -> str:
    async with CallClient(url, show=bottle, asked=TEXT) as call:
        return (await call.type(QUESTION)).text


async def by_replay(url: str, bottle: Path) -> str:
    return (await replay(ReplayOptions(bottle, url, typed=QUESTION, asked=TEXT))).said()


async def by_talk(url: str, bottle: Path) -> str:
    process = await start_forked(
        *(sys.executable, "-m", "vision_agent", "talk", "--url", url, "--text"),
        *("--camera", str(bottle), "--modality", "text"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        printed, _ = await process.communicate(QUESTION.encode())
    return printed.decode()


@pytest.mark.parametrize("asked", [by_program, by_replay, by_talk])
async def test_a_typed_question_is_answered_from_the_frame_that_it_carries(url, bottle, asked):
    answer = await asked(url, bottle)
    assert "I see a frame." in answer


async def test_without_a_camera_a_typed_question_carries_none(url):
    async with CallClient(url, asked=TEXT) as call:
        assert (await call.type(QUESTION)).text.strip() == "I see nothing."
