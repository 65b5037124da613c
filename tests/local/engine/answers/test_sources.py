import re

import cv2
import numpy as np
import pytest

from tests.local.engine.answers.asking import RED_BAR, ask, shown
from tests.local.engine.sight.sight_frames import jpeg
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.notice_frames import off_jpeg, title_jpeg
from vision_agent.live.shown import marked
from vision_agent.local.contract import (
    Dialogue,
    FrameSource,
    SeenFrame,
    ToolRequest,
    Transcript,
    Turn,
)
from vision_agent.local.engine.answers.notices import without_notices
from vision_agent.local.engine.answers.sources import (
    of_its_source,
    remember_answered,
    without_source,
)

CAMERA = SeenFrame(b"\xff\xd8\xffcamera", 1_000)
SCREEN = SeenFrame(marked(b"\xff\xd8\xffscreen", "screen"), 2_000)
PICTURE = SeenFrame(marked(b"\xff\xd8\xffpicture", "picture"), 3_000)
SCREEN_OFF = SeenFrame(off_jpeg("screen"), 4_000)
CAMERA_OFF = SeenFrame(off_jpeg("camera"), 4_000)


def source(words: str, *frames: SeenFrame, dialogue: Dialogue | None = None) -> str:
    turn = Turn(Transcript(words), frames=frames, now_ms=5_000, dialogue=dialogue or Dialogue())
    return of_its_source(without_notices(turn)).source


@pytest.mark.parametrize(
    ("words", "frames", "about"),
    [
        ("what does my screen say", [CAMERA, SCREEN], "screen"),
        ("read the screen", [SCREEN, CAMERA], "screen"),
        ("what is on the shared screen?", [SCREEN, CAMERA], "screen"),
        ("what do you see", [CAMERA, SCREEN], "camera"),
        ("read the screen", [CAMERA], "camera"),  # the screen of a phone that is held up
        ("what do you see", [SCREEN], "screen"),
        ("what do you see", [CAMERA, SCREEN, CAMERA_OFF], "screen"),
        ("what do you see", [CAMERA, SCREEN, SCREEN_OFF], "camera"),
        ("read my screen", [CAMERA, SCREEN, SCREEN_OFF], "screen"),
        ("what is this", [CAMERA, SCREEN, PICTURE], "picture"),
        ("what does my screen say", [CAMERA, SCREEN, PICTURE], "screen"),
    ],
)
def test_a_question_is_about_what_it_names_and_else_about_the_camera(words, frames, about):
    assert source(words, *frames) == about


def test_a_picture_belongs_to_the_next_question_and_later_to_those_that_name_it():
    dialogue = Dialogue()
    shown = [CAMERA, PICTURE, CAMERA]
    assert source("what is this", *shown, dialogue=dialogue) == "picture"
    remember_answered(without_notices(Turn(Transcript(""), frames=shown, dialogue=dialogue)))
    assert source("what is this", *shown, dialogue=dialogue) == "camera"
    assert source("what is in the picture that I sent", *shown, dialogue=dialogue) == "picture"
    another = SeenFrame(marked(b"\xff\xd8\xffanother", "picture"), 4_000)
    assert source("what is this", *shown, another, dialogue=dialogue) == "picture"


def test_frames_that_only_name_a_source_are_no_frames():
    title = SeenFrame(title_jpeg("screen"), 1_500)
    turn = without_notices(Turn(Transcript("what do you see"), frames=[CAMERA, title, SCREEN]))
    assert [frame.source for frame in turn.frames] == ["camera", "screen"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("what do you see on my screen?", "what do you see?"),
        ("what colour is the button on the shared screen", "what colour is the button"),
        ("describe my screen", "describe this"),
        ("read it", "read it"),
    ],
)
def test_words_that_say_where_to_look_are_not_what_is_asked(words, left):
    assert without_source(words, "screen") == left


def page(*lines: str, source: FrameSource = "screen") -> SeenFrame:
    """A frame of a shared screen, 1536 x 864 pixels."""
    pixels = np.full((864, 1536, 3), 250, np.uint8)
    for n, line in enumerate(lines):
        at = (120, 200 + 60 * n)
        cv2.putText(pixels, line, at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 2, cv2.LINE_AA)
    return SeenFrame(marked(jpeg(pixels), source), 1_000)


POINT = {
    "name": "point_at",
    "description": "Point at something: draw a labelled box around it.",
    "parameters": {
        "type": "object",
        "properties": {
            "label": {"type": "string", "description": "What is there"},
            "box_2d": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "[ymin, xmin, ymax, xmax], each from 0 to 1000",
            },
            "source": {"type": "string", "enum": ["camera", "screen"]},
        },
        "required": ["label", "box_2d"],
    },
}


async def test_the_screen_is_read_and_pointed_at_and_the_camera_is_looked_at(responder):
    camera, screen = shown(*RED_BAR[:1]), page("Quarterly report", "Total 4711 euros")
    assert "Quarterly report" in await ask(responder, "What does my screen say?", camera, screen)
    assert "red" in await ask(responder, "What colour is this?", screen, camera)
    call = await ask(responder, "Point at the text on my screen", camera, screen, tools=[POINT])
    assert isinstance(call, ToolRequest)
    assert call.args["source"] == "screen"
    top, left, bottom, right = call.args["box_2d"]
    assert 150 < top < 250
    assert 250 < bottom < 350
    assert 50 < left < 110 < right < 500


async def test_each_picture_that_was_sent_for_a_question_is_looked_at(responder):
    monday, push = (
        page("Closed on Mondays", source="picture"),
        page("Push the green", "button", source="picture"),
    )
    streamed = [monday, push, monday, push]  # as the question begins and as it ends
    dialogue = Dialogue()
    said = await ask(responder, "Read the text.", *streamed, dialogue=dialogue)
    assert re.search(r"first picture:.*mondays.*second picture:.*push", said.lower())
    assert (
        "mondays"
        not in (await ask(responder, "Read the picture.", *streamed, dialogue=dialogue)).lower()
    )


def test_the_queue_marks_what_it_streams_so_that_the_engine_knows_it():
    live_queue = LiveQueue()
    live_queue.frame(b"\xff\xd8\xffx", "screen")
    (shown,) = live_queue.visible
    turn = without_notices(Turn(Transcript("?"), frames=[SeenFrame(shown.jpeg, 0)]))
    assert turn.frames[0].source == "screen"
