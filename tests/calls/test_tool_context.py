"""The tools in real calls: a peer, ADK, google-genai, and the local Live API with a scenario."""

import asyncio
import re

import cv2
import numpy as np
import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.rtc.calling import FrameSource, plain
from tests.support.dialling import Dialled
from tests.support.messages import said
from tests.support.metrics import metric, until_metric

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The script calls tools as a model would, and answers a notice by its first words.
SCENARIO = """
    engine: false
    answers:
      - when: {words: where is the cup}
        call: {name: point_at, args: {label: cup, box_2d: [100, 200, 300, 400]}}
      - when: {tool: point_at}
        say: There.
      - when: {words: read the label}
        call: {name: look_closely, args: {what: the label, region: [0, 0, 500, 500]}}
      - when: {tool: look_closely, frames: 2}
        say: "It is {width} wide."
      - when: {words: remind me}
        call: {name: remind_me, args: {text: the pizza, seconds: 2}}
      - when: {tool: remind_me}
        say: I will, and I go on talking about it for quite a while, so that it has to wait.
      - when: {words: here is your reminder}
        say: Your pizza is ready.
      - when: {words: when something changes}
        call: {name: watch_for, args: {what: the wall, kind: changes}}
      - when: {tool: watch_for}
        say: I am watching.
      - when: {words: you asked me to watch}
        say: It has happened.
    otherwise: {say: Go on.}
"""


class Wall(FrameSource):
    """A wall that somebody can hang a picture on."""

    def __init__(self) -> None:
        super().__init__(self.view, fps=5)
        self.hung = False

    def view(self, n: int) -> np.ndarray:
        wall = plain(150, 150, 140, 640, 480)
        cv2.line(wall, (0, 400), (640, 400), (60, 50, 40), 6)
        if self.hung:
            wall[100:260, 200:400] = (30, 60, 180)
        return wall


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory):
    scenario = tmp_path_factory.mktemp("tools") / "scenario.yaml"
    scenario.write_text(SCENARIO)
    async with serving("--scenario", str(scenario)) as server:
        yield server.url


@pytest_asyncio.fixture(loop_scope="module")
async def wall():
    return Wall()


@pytest_asyncio.fixture(loop_scope="module")
async def caller(url, wall):
    caller = Dialled(url, wall)
    await caller.connect()
    await caller.wait_for(lambda m: kind(m) == "frame")
    yield caller
    await caller.peer.close()


def kind(message: dict) -> str | None:
    return (message.get("data") or {}).get("kind")


async def test_pointing_reaches_the_callers_page_with_the_moment_it_is_about(caller):
    caller.send("send-text", {"content": "where is the cup"})
    point = (await caller.wait_for(lambda m: kind(m) == "point"))["data"]
    assert point["label"] == "cup"
    assert point["box_2d"] == [100, 200, 300, 400]
    assert 0 <= point["age_ms"] < 3000
    await caller.wait_for(lambda m: said(m) == "There.")


async def test_a_close_look_is_before_the_model_when_the_tool_answers(caller, url):
    caller.send("send-text", {"content": "read the label"})
    answer = await caller.wait_for(lambda m: (said(m) or "").startswith("It is"))
    # Half of 640, a margin, twice as large.
    assert re.fullmatch(r"It is 69\d wide\.", said(answer))
    await caller.peer.close()

    await until_metric(url, "close_looks_total", lambda looks: looks == 1)


async def test_a_reminder_waits_until_the_agent_has_finished_speaking(caller):
    caller.send("send-text", {"content": "remind me of the pizza"})
    await caller.wait_for(lambda m: kind(m) == "unasked")
    await caller.wait_for(lambda m: said(m) == "Your pizza is ready.")
    order = [m["type"] if kind(m) is None else kind(m) for m in caller.messages]
    notice = order.index("unasked")
    assert order[:notice].count("bot-started-speaking") == 1
    assert order[:notice].count("bot-stopped-speaking") == 1
    assert order[notice:].count("bot-started-speaking") == 1


async def test_the_agent_speaks_unasked_when_what_it_watches_for_happens(caller, wall):
    caller.send("send-text", {"content": "tell me when something changes"})
    await caller.wait_for(lambda m: said(m) == "I am watching.")
    await asyncio.sleep(4)
    assert not [m for m in caller.messages if kind(m) == "unasked"]
    wall.hung = True
    notice = await caller.wait_for(lambda m: kind(m) == "unasked")
    assert "Something has changed" in notice["data"]["text"]
    await caller.wait_for(lambda m: said(m) == "It has happened.")


async def test_hanging_up_leaves_no_watch_and_no_reminder(url, wall):
    await until_metric(url, "calls", lambda calls: calls == 0)
    before = await metric(url, "tasks")
    caller = Dialled(url, wall)
    await caller.connect()
    await caller.wait_for(lambda m: kind(m) == "frame")
    for text in ("remind me of the pizza", "tell me when something changes"):
        caller.send("send-text", {"content": text})
    await caller.wait_for(lambda m: said(m) == "I am watching.", timeout=40)
    assert await metric(url, "tasks") > before
    await caller.hang_up()
    await until_metric(url, "tasks", lambda tasks: tasks <= before)


async def test_frames_of_a_still_wall_are_skipped_and_counted(url, wall):
    before = await metric(url, "tokens_saved_total")
    caller = Dialled(url, wall)
    await caller.connect()
    await caller.wait_for(lambda m: kind(m) == "frame")
    await asyncio.sleep(4)
    sent = sum(kind(m) == "frame" for m in caller.messages)
    await caller.hang_up()
    saved = await metric(url, "tokens_saved_total") - before
    assert sent <= 2
    assert saved >= 2 * 258
    assert saved % 258 == 0
