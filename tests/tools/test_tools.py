import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import cv2
import numpy as np
import pytest
from google.adk.tools.function_tool import FunctionTool
from hypothesis import given
from hypothesis import strategies as st

from tests.support.waiting import until
from tests.tools.fake_call import FakeCall, inside
from vision_agent import tools
from vision_agent.tools.boxes import BadBox, check_box, in_pixels
from vision_agent.tools.jobs import MAX_OF_A_KIND
from vision_agent.tools.look import MAX_BYTES, MAX_PX, bounded_jpeg
from vision_agent.tools.remind import spoken_time
from vision_agent.tools.watch import subject_of

DESK = np.full((720, 1280, 3), 90, np.uint8)
DESK[100:200, 1000:1100] = (0, 0, 255)


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


async def told(call: FakeCall) -> str:
    await until(lambda: call.told)
    return call.told[0]


async def ended(call: FakeCall, kind: str) -> None:
    await until(lambda: not call.jobs.running(kind))


@pytest.mark.parametrize("name", sorted({*tools.__all__} - {"load_memory"}))
async def test_outside_a_call_every_tool_says_so(name):
    arguments = {
        "look_closely": ("the label",),
        "point_at": ("cup", [0, 0, 10, 10]),
        "remind_me": ("tea", 5),
        "watch_for": ("a cup",),
    }
    result = await getattr(tools, name)(*arguments.get(name, ()))
    assert "only in a video call" in result["error"]


@pytest.mark.parametrize("name", tools.__all__)
def test_every_tool_is_declared_with_words_for_each_parameter(name):
    declaration = FunctionTool(getattr(tools, name))._get_declaration()
    assert declaration is not None
    assert len(declaration.description) > 40
    schema = declaration.parameters_json_schema or {}
    for parameter, about in (schema.get("properties") or {}).items():
        words = about.get("description") or about["anyOf"][0].get("description")
        assert words, f"{name}: {parameter} is not explained"


def test_the_kinds_that_can_be_watched_for_are_declared_as_a_choice():
    declaration = FunctionTool(tools.watch_for)._get_declaration()
    kind = declaration.parameters_json_schema["properties"]["kind"]
    assert {"appears", "disappears", "moves", "changes", "face", "code", "text"} == set(
        kind["enum"]
    )


async def test_a_tool_that_runs_in_a_thread_with_a_loop_of_its_own_reaches_the_call():
    # As ADK's thread pool does it.
    with inside(FakeCall(DESK)) as call, ThreadPoolExecutor(1) as pool:
        context = copy_context()
        work = context.run(lambda: copy_context())
        result = await call.loop.run_in_executor(
            pool, lambda: work.run(asyncio.run, tools.point_at("cup", [0, 0, 500, 500]))
        )
    assert "cup" in result["status"]
    assert call.shown[0]["box_2d"] == [0, 0, 500, 500]


def frame_of(result: dict) -> bytes:
    """What ADK shows the model with a tool's result."""
    return result["picture"].inline_data.data


async def test_looking_closely_shows_the_model_the_whole_frame_as_it_is():
    with inside(FakeCall(DESK)):
        result = await tools.look_closely("the desk")
    assert (result["width"], result["height"]) == (1280, 720)
    assert decoded(frame_of(result)).shape == (720, 1280, 3)


async def test_a_part_is_cut_out_and_enlarged():
    with inside(FakeCall(DESK)):
        # The red square: 100 to 200 of 720, 1000 to 1100 of 1280.
        result = await tools.look_closely("the red thing", [139, 781, 278, 859])
    pixels = decoded(frame_of(result))
    assert pixels.shape[:2] == (result["height"], result["width"])
    assert 200 <= result["width"] <= 260
    red = (pixels[:, :, 2] > 200) & (pixels[:, :, 1] < 60)
    assert 0.6 < red.mean() < 0.85


async def test_what_is_sent_is_bounded_whatever_the_camera():
    huge = np.random.default_rng(0).integers(0, 255, (2160, 3840, 3), np.uint8)
    with inside(FakeCall(huge)):
        result = await tools.look_closely("the noise")
    assert len(frame_of(result)) <= MAX_BYTES
    assert max(result["width"], result["height"]) <= MAX_PX


def test_noise_is_made_small_enough_by_quality_and_then_by_size():
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1500, 3), np.uint8)
    jpeg, width, height = bounded_jpeg(noise, 150_000)
    assert len(jpeg) <= 150_000
    assert decoded(jpeg).shape == (height, width, 3)


async def test_without_a_camera_there_is_nothing_to_look_at_point_at_or_watch():
    with inside(FakeCall()):
        assert "camera is off" in (await tools.look_closely("it"))["error"]
        assert "camera is off" in (await tools.point_at("it", [0, 0, 9, 9]))["error"]
        assert "camera is off" in (await tools.watch_for("it"))["error"]


async def test_pointing_says_which_moment_is_meant():
    with inside(FakeCall(DESK)) as call:
        await tools.point_at(" red\n square ", [139, 781, 278, 859])
        await tools.clear_points()
    point, clear = call.shown
    assert point["kind"] == "point"
    assert point["label"] == "red square"
    assert point["box_2d"] == [139, 781, 278, 859]
    assert point["age_ms"] == 250
    assert clear == {"kind": "clear_points"}


@pytest.mark.parametrize(
    ("box", "words"),
    [([1, 2, 3], "four"), ([0.1, 0.2, 0.3, 0.4], "shares"), ([5, 5, 5, 9], "empty")],
)
async def test_what_is_no_box_is_answered_with_what_one_is(box, words):
    with inside(FakeCall(DESK)) as call:
        assert words in (await tools.point_at("cup", box))["error"]
        assert words in (await tools.look_closely("cup", box))["error"]
    assert call.shown == []


@given(
    st.lists(st.integers(-100, 1200), min_size=4, max_size=4),
    st.integers(16, 4000),
    st.integers(16, 4000),
)
def test_any_box_lies_inside_the_frame(box, width, height):
    try:
        checked = check_box(box)
    except BadBox:
        return
    top, left, bottom, right = in_pixels(checked, width, height, margin=0.08)
    assert 0 <= top < bottom <= height
    assert 0 <= left < right <= width
    assert bottom - top >= 16
    assert right - left >= 16


async def test_a_reminder_comes_when_it_is_time_and_not_before():
    with inside(FakeCall()) as call:
        result = await tools.remind_me("the pizza", 1)
        assert "1 second" in result["status"]
        assert call.told == []
        assert "the pizza" in await told(call)
        await ended(call, "reminder")


async def test_reminders_are_bounded_and_can_be_cancelled_by_their_words():
    with inside(FakeCall()) as call:
        for n in range(MAX_OF_A_KIND):
            assert "status" in await tools.remind_me(f"thing {n}", 1000)
        assert "already" in (await tools.remind_me("one more", 1000))["error"]
        assert await tools.cancel_reminders("thing 3") == {"cancelled": ["thing 3"]}
        await asyncio.sleep(0)
        assert "status" in await tools.remind_me("one more", 1000)
        assert len((await tools.cancel_reminders())["cancelled"]) == MAX_OF_A_KIND
        await call.jobs.close()
    assert call.told == []


@pytest.mark.parametrize("seconds", [0, -5, 1e9])
async def test_a_reminder_for_no_time_at_all_is_refused(seconds):
    with inside(FakeCall()):
        assert "at most 4 hours ahead" in (await tools.remind_me("tea", seconds))["error"]


async def test_a_watch_ends_with_what_it_saw():
    empty = np.full((360, 640, 3), 90, np.uint8)
    cup = empty.copy()
    cup[150:250, 300:360] = (30, 60, 200)
    with inside(FakeCall(empty, empty, cup, cup, cup)) as call:
        await tools.watch_for("a balloon", "appears")
        notice = await told(call)
    assert "appeared" in notice
    assert "a balloon" in notice
    await ended(call, "watch")


async def test_a_watch_that_sees_nothing_says_so_when_its_time_is_over():
    with inside(FakeCall(DESK, DESK, DESK)) as call:
        await tools.watch_for("a cat", "moves", 10)
        assert "saw nothing" in await told(call)


async def test_a_watch_can_be_stopped():
    with inside(FakeCall(*[DESK] * 50)) as call:
        await tools.watch_for("a cat", "moves")
        assert await tools.stop_watching("cat") == {"stopped": ["a cat"]}
        await call.jobs.close()
    assert call.told == []


async def test_a_watch_that_breaks_down_does_not_go_unnoticed(monkeypatch, caplog):
    with inside(FakeCall(DESK, np.zeros((0, 0, 3), np.uint8), DESK)) as call:
        await tools.watch_for("a cat", "changes")
        await until(lambda: call.failed_jobs)
    assert call.failed_jobs[0].what == "a cat"
    assert "failed" in caplog.text


async def test_ending_the_call_ends_everything():
    with inside(FakeCall(*[DESK] * 50)) as call:
        await tools.watch_for("a cat", "moves")
        await tools.remind_me("tea", 100)
        await call.jobs.close()
    assert not [t for t in asyncio.all_tasks() if t.get_name().startswith(("watch", "reminder"))]


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ("a cat appears", "a cat"),
        ("something moves.", "something"),
        ("the change of guard", "the change of guard"),
        ("appears", "anything"),
        ("  ", "anything"),
    ],
)
def test_what_is_watched_for_is_named_without_what_may_happen_to_it(asked, subject):
    assert subject_of(asked) == subject


def test_durations_are_said_as_people_say_them():
    assert spoken_time(90) == "1 minute and 30 seconds"
    assert spoken_time(3600) == "1 hour"
    assert spoken_time(0.2) == "a moment"
