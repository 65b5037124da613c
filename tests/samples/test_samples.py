"""Every sample agent is called by its recording: over WebRTC, ADK and the local Live API.

Typed questions are in samples/suite.

One server has all agents. The remarks of a recording are spoken one by one, each after the answer
to the one before, so that nothing depends on the machine's speed. Answers last as long as their
speech, so four calls run at a time, the long ones first.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
import pytest_asyncio

from tests.conftest import RECORDINGS, serving
from tests.samples.pitch import pitch_hz
from tests.samples.remarks import remarks
from tests.support.samples import SAMPLE_NAMES, SAMPLES
from tests.support.waiting import until
from vision_agent import CallClient
from vision_agent.caller.client import Answer
from vision_agent.caller.recording import SOUND_RATE_HZ
from vision_agent.caller.utterances import utterances
from vision_agent.local.engine.language.normalisation import normalise

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


Conversation = Callable[[str], Awaitable[None]]
"""Calls the server at an address."""


@asynccontextmanager
async def calling(url: str, name: str) -> AsyncIterator[tuple[CallClient, list[bytes]]]:
    """A call that shows a sample agent its recording, and the recording's remarks."""
    recording = RECORDINGS / f"{name}.mp4"
    async with CallClient(url, show=recording, asked={"agent": name}) as call:
        yield call, await asyncio.to_thread(remarks, recording)


async def say(call: CallClient, remark: bytes) -> Answer:
    return await call.say(remark, rate_hz=SOUND_RATE_HZ)


def sentences(remark: bytes) -> list[bytes]:
    """A remark's sentences, to be spoken singly: a busy machine might take them for one."""
    samples = np.frombuffer(remark, np.int16)
    spans = utterances(samples, SOUND_RATE_HZ)
    middle = [(a.end_ms + b.start_ms) // 2 for a, b in itertools.pairwise(spans)]
    ends = [*(ms * SOUND_RATE_HZ // 1000 for ms in middle), len(samples)]
    return [samples[a:b].tobytes() for a, b in itertools.pairwise([0, *ends])]


def used(call: CallClient, tool: str) -> dict:
    """The arguments of the only call of a tool, which has ended without an error."""
    (found,) = [each for each in call.tool_calls if each.name == tool]
    assert found.ended_ms is not None
    assert "error" not in found.result
    return found.arguments


def around(box_2d: list[int], wanted: tuple[int, int, int, int], within: int = 40) -> bool:
    return all(abs(a - b) <= within for a, b in zip(box_2d, wanted, strict=True))


@pytest.mark.parametrize("name", SAMPLE_NAMES)
async def test_a_sample_has_a_readme_of_ten_lines_that_names_its_recording(name: str):
    lines = (SAMPLES / name / "README.md").read_text().splitlines()
    assert len(lines) == 10
    assert f"samples/recordings/{name}.mp4" in " ".join(lines)
    assert f"--agent samples/agents/{name}" in " ".join(lines)
    assert f"`{name}`" in (SAMPLES / "README.md").read_text()
    assert f"{name}.mp4" in (RECORDINGS / "LICENSES.md").read_text()


async def basic_says_what_it_sees_and_what_time_it_is(url: str) -> None:
    async with calling(url, "basic") as (call, (see, time)):
        assert "something red in the middle" in (await say(call, see)).text
        answer = await say(call, time)
        assert used(call, "get_current_time") == {}
        assert re.search(r"The time is \d\d:\d\d", answer.text)


async def shop_assistant_tells_reads_and_points(url: str) -> None:
    async with calling(url, "shop_assistant") as (call, (what, label, point)):
        told = (await say(call, what)).text
        assert "blue" in told
        read = (await say(call, label)).text
        assert used(call, "look_closely")["what"] == "label"
        for line in ("OAT DRINK", "RICE DRINK", "1.89 euros", "1.49 euros"):
            assert line in read
        await say(call, point)
        box = used(call, "point_at")["box_2d"]
        # The red carton, where it was drawn.
        assert around(box, (125, 547, 877, 906))
        assert [(point.label, point.box_2d) for point in call.points] == [("red thing", box)]


async def tutor_looks_at_homework_and_points_at_it(url: str) -> None:
    async with calling(url, "tutor") as (call, (look, point)):
        seen = (await say(call, look)).text
        assert used(call, "look_closely")["what"] == "page"
        assert "42" in seen
        assert "54" in seen
        await say(call, point)
        assert around(call.points[0].box_2d, (210, 260, 735, 800))


async def watchman_tells_unasked_when_something_moves(url: str) -> None:
    async with calling(url, "watchman") as (call, (watch, _)):
        promised = await say(call, watch)
        assert used(call, "watch_for")["kind"] == "moves"
        told = await call.listen() if "is moving" not in promised.text else promised
        assert "Something is moving" in told.text
        assert len(told.voice)


async def front_desk_hands_over_by_voice_both_ways(url: str) -> None:
    async with calling(url, "front_desk") as (call, (hello, to_repairs, back, to_sales)):
        desk = await say(call, hello)
        assert desk.agent == "front_desk"
        wish, question = sentences(to_repairs)
        greeting = await say(call, wish)
        assert (greeting.agent, greeting.text) == (
            "repairs",
            "Repairs here. What can I do for you?",
        )
        repairs = await say(call, question)
        assert repairs.agent == "repairs"
        assert "blue" in repairs.text
        heard = [normalise(text) for who, text in call.transcript if who == "user"]
        assert heard[1:] == ["transfer me to repairs", "what colour is this"]
        front = await say(call, back)
        assert (front.agent, front.text) == (
            "front_desk",
            "Front desk here. What can I do for you?",
        )
        sales = await say(call, to_sales)
        assert (sales.agent, sales.text) == ("sales", "Sales here. What can I do for you?")
        asked_for = [each.arguments["agent_name"] for each in call.tool_calls]
        assert asked_for == ["repairs", "front_desk", "sales"]
        # Kore's pitch is high, Charon's is not. Puck's rises in a question.
        assert pitch_hz(desk.voice) > 1.2 * pitch_hz(repairs.voice)
        assert pitch_hz(desk.voice) > 1.05 * pitch_hz(sales.voice)


async def what_is_typed_while_front_desk_hands_over_is_answered_by_the_new_agent(url: str) -> None:
    async with calling(url, "front_desk") as (call, _):
        handing_over = asyncio.create_task(call.type("transfer me to repairs"))
        await until(lambda: call.tool_calls)
        answer = await call.type("what is the repair price of a bicycle")
        await handing_over
        assert used(call, "repair_price") == {"item": "bicycle"}
        assert answer.agent == "repairs"
        assert "40 euros" in answer.text
        hours = await call.type("back to the front desk")
        assert hours.agent == "front_desk"
        hours = await call.type("when do you open?")
        assert hours.text == "The opening hours are nine to five, Monday to Friday."


async def workbench_counts_and_points(url: str) -> None:
    async with calling(url, "workbench") as (call, (count, point)):
        assert "four green things" in (await say(call, count)).text
        await say(call, point)
        assert used(call, "point_at")["label"] == "red thing"
        assert around(call.points[0].box_2d, (625, 109, 730, 406))


CONVERSATIONS = (
    shop_assistant_tells_reads_and_points,
    workbench_counts_and_points,
    tutor_looks_at_homework_and_points_at_it,
    front_desk_hands_over_by_voice_both_ways,
    basic_says_what_it_sees_and_what_time_it_is,
    watchman_tells_unasked_when_something_moves,
    what_is_typed_while_front_desk_hands_over_is_answered_by_the_new_agent,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls() -> AsyncIterator[dict[Conversation, asyncio.Task[None]]]:
    """Starts all conversations."""
    lines = asyncio.Semaphore(4)

    async def one(conversation: Conversation, url: str) -> None:
        async with lines:
            await conversation(url)

    async with serving("--agent", str(SAMPLES)) as server:
        tasks = {each: asyncio.create_task(one(each, server.url)) for each in CONVERSATIONS}
        yield tasks
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda each: each.__name__)
async def test_a_recording_has_the_conversation(
    conversation: Conversation, calls: dict[Conversation, asyncio.Task[None]]
):
    await calls[conversation]
