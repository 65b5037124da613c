"""This machine's screen as the shared screen of a call: on an X server of the test's own."""

import asyncio
import os

import cv2
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from tests.conftest import serving
from vision_agent.talk.display import DisplayTrack, DisplayUnavailable, why_not

from .talking import talking
from .x11 import HEIGHT, WIDTH, Display, x11_display

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def display(monkeypatch):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with x11_display() as display:
        monkeypatch.setenv("DISPLAY", display.name)
        yield display


def page(*lines: str) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for n, line in enumerate(lines):
        cv2.putText(picture, line, (90, 160 + 70 * n), cv2.FONT_HERSHEY_DUPLEX, 1.2, (0, 0, 0), 2)
    return picture


async def test_the_track_shows_what_the_display_shows_and_says_why_it_ends(
    display: Display,
) -> None:
    track = DisplayTrack()
    try:
        display.show(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
        white = await track.recv()
        display.show(np.full((HEIGHT, WIDTH, 3), (200, 0, 0), np.uint8))
        red = await track.recv()
        assert (white.width, white.height, white.format.name) == (WIDTH, HEIGHT, "yuv420p")
        assert white.to_ndarray(format="rgb24")[10, 10] == pytest.approx((255, 255, 255), abs=4)
        assert red.to_ndarray(format="rgb24")[10, 10] == pytest.approx((200, 0, 0), abs=8)
        assert (red.pts - white.pts) * red.time_base >= 0.3
        display.end()
        with pytest.raises(MediaStreamError):
            await track.recv()
        assert f"Your screen {display.name} is not shared any more: " in track.failure
        assert track.readyState == "ended"
    finally:
        track.stop()
    with pytest.raises(DisplayUnavailable, match=f"{display.name} can't be read"):
        DisplayTrack()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": ""}, "DISPLAY is not set"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "a Wayland session"),
    ],
)
def test_where_no_screen_can_be_read_the_reason_is_said(environment, words) -> None:
    assert words in why_not("linux", environment)
    assert why_not("darwin", environment) is None


async def test_the_agent_reads_the_screen_that_talk_shares_and_hears_of_its_end(
    display: Display,
) -> None:
    display.show(page("Departure from", "platform nine"))
    arguments = ["--text", "--modality", "text", "--screen"]
    async with (
        serving() as server,
        talking(
            *(*arguments, "--url", server.url),
            stdin=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        ) as talk,
    ):
        talk.process.stdin.write(b"What does my screen say?\n")
        await talk.until("\nAgent: ")
        assert "platform nine" in talk.text.lower()
        display.end()
        await talk.until("is not shared any more")
        talk.process.stdin.write(b"What does my screen say?\n")
        talk.process.stdin.close()
        assert await talk.ends() == 0, talk.text
    assert "share your screen any more" in talk.text
    assert talk.text.count("is not shared any more") == 1
