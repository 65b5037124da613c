"""Whole calls to the recorded Live API: a caller over WebRTC, our server, google-genai, ADK."""

import asyncio
import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.calls.recorded_calls import RecordedCalls, recorded_calls
from tests.rtc.calling import pitch_hz
from tests.support.media_files import make_image
from tests.support.recorded_service import kind_of
from tests.support.recorded_sessions import RecordedSession, facts_of, recorded_sessions
from tests.support.written_sessions import asks, closes, ends, pauses, refused, says, written
from vision_agent.caller.recording import SOUND_RATE_HZ
from vision_agent.replay import ReplayOptions, Report, replay


def question(session: RecordedSession) -> dict:
    """What the recorded client asked, as options of a replay."""
    for message in session.sent_by("client"):
        if kind_of(message) == "question":
            parts = message["client_content"]["turns"][-1]["parts"]
            return {"typed": " ".join(part["text"] for part in parts if "text" in part)}
    tone = np.sin(np.arange(16_000) * 0.2) * 8_000
    return {"say_pcm": (tone.astype("<i2").tobytes(), 16_000)}


async def replayed(calls: RecordedCalls, file: Path) -> dict[str, Report]:
    """Call each agent with its recorded question, a few at a time."""
    few = asyncio.Semaphore(5)

    async def call(name: str) -> Report:
        asked = question(calls.playing[name].session)
        options = ReplayOptions(file, calls.url, asked={"agent": name}, timeout_s=20, **asked)
        async with few:
            return await replay(options)

    names = list(calls.playing)
    return dict(zip(names, await asyncio.gather(*map(call, names)), strict=True))


def check_voice(report: Report, sent: bytes) -> None:
    """The voice came whole and in order: it is a tone that rises."""
    sent_s = len(sent) / 48_000
    heard = report.voice.samples()
    assert abs(len(heard) / SOUND_RATE_HZ - sent_s) < 0.1
    windows = [
        heard[start : start + SOUND_RATE_HZ // 5]
        for start in range(0, len(heard) - SOUND_RATE_HZ // 5, SOUND_RATE_HZ // 5)
    ]
    pitches = [pitch_hz(window, SOUND_RATE_HZ) for window in windows]
    assert all(low < high for low, high in itertools.pairwise(pitches)), pitches


async def test_every_recorded_session_is_a_good_call(tmp_path):
    file = make_image(tmp_path / "still.png")
    sessions = {f"agent{n}": session for n, session in enumerate(recorded_sessions())}
    async with recorded_calls(sessions, sizes=(1920, 2402, 479)) as calls:
        for name, report in (await replayed(calls, file)).items():
            facts = facts_of(sessions[name])
            assert (name, report.errors, report.ended) == (name, [], "answered")
            assert [line.text for line in report.transcript if line.who == "agent"] == facts.answers
            assert report.said("user") == facts.user_text
            assert calls.runs(name) == facts.calls
            assert [(call.name, call.arguments) for call in report.tool_calls] == facts.calls
            assert calls.playing[name].connections == 1
            check_voice(report, calls.playing[name].voice)


QUOTA = "You exceeded your current quota, please check your plan and billing details."


async def test_a_caller_stays_until_a_model_that_thinks_for_long_has_said_all(tmp_path):
    session = written(
        "thinks",
        "gemini-3.8-live-extended-thinking",
        asks("What is the time in Lima?"),
        says("Let me think about that."),
        *ends("IN_PROGRESS"),
        pauses(2),
        says("It is noon."),
        *ends("IDLE"),
    )
    file = make_image(tmp_path / "still.png")
    async with recorded_calls({"thinker": session}, sizes=(24_000,), thinking_level="low") as calls:
        report = (await replayed(calls, file))["thinker"]
    assert (report.errors, report.ended) == ([], "answered")
    assert [line.text for line in report.transcript] == ["Let me think about that. It is noon."]
    assert report.agent_audio_ms == pytest.approx(1000, abs=100)


async def test_what_the_service_refuses_is_told_once_in_a_sentence(tmp_path):
    plain = written("plain", "gemini-3.8-live", asks("Hello."), says("Hello."), *ends())
    sessions = {
        "quota": refused(plain, 1011, QUOTA),
        "wordless": refused(plain, 1008, ""),
        "later": written("later", "gemini-3.8-live", asks("Hello."), closes(1008, QUOTA)),
    }
    file = make_image(tmp_path / "still.png")
    async with recorded_calls(sessions) as calls:
        reports = await replayed(calls, file)
        told = {name: report.errors for name, report in reports.items()}
    used_up = f"The model service's quota is used up: {QUOTA} Wait, or raise the quota."
    assert told == {
        "quota": [used_up],
        "wordless": ["The model service ended the conversation (1008): no reason given."],
        "later": [used_up],
    }
    assert {playing.connections for playing in calls.playing.values()} == {1}
