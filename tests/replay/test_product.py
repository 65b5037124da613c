"""A recording calls the product itself: `vision-agent serve` with the local Live API."""

import asyncio
import json
import sys
import wave
from html import escape
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from tests.conftest import serving
from tests.support.forked import start_forked
from tests.support.signals import silence, tone
from vision_agent.caller.recording import SOUND_RATE_HZ, resample
from vision_agent.local import speak_question
from vision_agent.replay import ReplayOptions, replay

# One server for several replays: starting it takes longer than most of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    async with serving() as server:
        yield server.url


async def test_a_recorded_video_asks_what_is_seen_and_is_answered(url: str, bottle: Path) -> None:
    question = await speak_question("what do you see?")
    report = await replay(ReplayOptions(bottle, url, say_pcm=question))
    assert report.errors == []
    assert report.answered
    assert "see" in report.said("user").lower()
    assert len(report.said()) > 10
    assert report.frames_sent >= 1
    assert report.jpeg_bytes is not None
    assert 1_000 < report.jpeg_bytes <= 40_000
    # Promised: the model never answers about a frame older than 300 ms.
    assert report.frame_age_ms is not None
    assert report.frame_age_ms <= 300
    assert report.reply_ms is not None
    assert report.agent_audio_ms > 500


TELLS_A_STORY = f"""
engine: false
hears: [tell me a story, stop]
answers:
  - when: {{words: story}}
    say: {"Once upon a time there was a bottle. " * 5}
otherwise: {{say: All right.}}
"""


async def test_an_answer_is_broken_off_when_the_recording_speaks_again(
    bottle: Path, tmp_path: Path
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(TELLS_A_STORY)
    # The story begins within the pause and takes ten seconds, also on a slow machine.
    question = resample(*await speak_question("what do you see?"))
    sound = np.concatenate([question, silence(4000), question])
    async with serving("--scenario", str(scenario)) as server:
        report = await replay(
            ReplayOptions(bottle, server.url, say_pcm=(sound.tobytes(), SOUND_RATE_HZ))
        )
    assert report.errors == []
    assert len(report.utterances) == 2
    assert report.interruptions == 1
    assert report.utterances[-1].reply_ms is not None
    assert report.transcript[-1].text == "All right."


async def test_a_typed_question_is_answered_by_voice(url: str, bottle: Path) -> None:
    report = await replay(ReplayOptions(bottle, url, typed="hello"))
    assert (report.errors, report.answered) == ([], True)


async def test_a_question_in_a_call_that_asked_for_text_is_answered_in_text(
    url: str, bottle: Path
) -> None:
    report = await replay(ReplayOptions(bottle, url, typed="hello", asked={"modalities": "TEXT"}))
    assert (report.errors, report.answered, report.ended) == ([], True, "answered")
    assert (report.agent_audio_ms, report.reply_ms) == (0, None)
    assert report.said()


@pytest.mark.parametrize("asked", [{}, {"modalities": "TEXT"}], ids=["voice", "text"])
async def test_a_line_that_is_refused_ends_the_call_with_its_reason_and_is_not_waited_for(
    url: str, bottle: Path, asked: dict
) -> None:
    # Without an end of its own, the call would last as long as the test may.
    options = ReplayOptions(bottle, url, typed="a" * 5_000, asked=asked, timeout_s=10_000)
    report = await replay(options)
    assert (report.answered, report.broke_off) == (False, True)
    (error,) = report.errors
    assert "4000" in error.replace(",", "")
    assert report.ended == error


THINKS_LONG = """
engine: false
hears: [are you there]
hears_then: again
habits: {filler: One moment., interaction_status: true}
otherwise: {say: "Yes, I am here."}
"""


async def test_a_turn_ends_where_no_speech_is_detected_and_a_filler_is_not_the_answer(
    bottle: Path, tmp_path: Path
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(THINKS_LONG)
    spoken = (tone(800).tobytes(), SOUND_RATE_HZ)
    options = ("--no-voice-activity-detection", "--scenario", str(scenario))
    async with serving(*options) as server:
        report = await replay(ReplayOptions(bottle, server.url, say_pcm=spoken, timeout_s=30))
    assert (report.errors, report.answered, report.ended) == ([], True, "answered")
    said = [(line.who, line.text) for line in report.transcript]
    assert said == [("user", "are you there"), ("agent", "One moment. Yes, I am here.")]


async def test_the_command_makes_the_call_and_writes_its_report_and_the_voice(
    slow_bottle: Path, tmp_path: Path
) -> None:
    figures, voice = tmp_path / "report.json", tmp_path / "voice.wav"
    page = tmp_path / "report.html"
    options = ["--ask", "what do you see?", "--json", str(figures), "--wav", str(voice)]
    options += ["--html", str(page)]
    printed = await run_command("replay", str(slow_bottle), *options)
    assert printed[0] == 0, printed[1]
    report = json.loads(figures.read_text())
    assert report["answered"]
    assert "Agent:" in printed[1]
    assert report["usage"]["tokens"]["response"]["audio"] > 0
    assert (report["usage"]["estimate"], report["usage"]["currency"]) == (0.0, "USD")
    assert report["usage"]["note"] in page.read_text()
    answer = next(line["text"] for line in report["transcript"] if line["who"] == "agent")
    assert escape(answer) in page.read_text()
    with wave.open(str(voice)) as file:
        received_ms = 1000 * file.getnframes() // file.getframerate()
    assert received_ms >= report["agent_audio_ms"]


async def test_the_command_fails_in_words_when_the_recording_is_none(tmp_path: Path) -> None:
    status, printed = await run_command("replay", str(tmp_path / "nothing.mp4"), "--type", "hello")
    assert status != 0
    assert "There is no file" in printed.replace("\n", " ")


async def run_command(*arguments: str) -> tuple[int, str]:
    process = await start_forked(
        sys.executable,
        "-m",
        "vision_agent",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 150)
    return process.returncode or 0, printed.decode()


async def test_a_screen_that_a_replay_shares_is_read(
    url: str, bottle: Path, tmp_path: Path
) -> None:
    slide = tmp_path / "slide.png"
    picture = Image.new("RGB", (960, 600), "white")
    ImageDraw.Draw(picture).text((120, 240), "Departure from platform nine", "black", font_size=38)
    picture.save(slide)
    asked = {"modalities": "TEXT"}
    options = ReplayOptions(
        bottle, url, typed="What does my screen say?", screen=slide, asked=asked
    )
    report = await replay(options)
    assert (report.errors, report.answered) == ([], True)
    assert "platform nine" in report.said().lower()
