"""Whole calls to the recorded Live API: a caller over WebRTC, our server, google-genai, ADK."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.calls.recorded_calls import RecordedCalls, recorded_calls
from tests.rtc.calling import FrameSource, tone
from tests.support.dialling import Dialled
from tests.support.media_files import make_image
from tests.support.recorded_service import Playing, kind_of
from tests.support.recorded_sessions import facts_of, recorded_sessions
from tests.support.waiting import until
from tests.support.written_sessions import (
    INTERRUPTED,
    asks,
    closes,
    ends,
    pauses,
    refused,
    says,
    written,
)
from vision_agent.caller.recording import SOUND_RATE_HZ
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.replay import ReplayOptions, Report, replay


class Listening(Dialled):
    """A caller who stays: repeats the recorded client's actions, and keeps the received sound."""

    async def act(self, playing: Playing) -> None:
        while (message := await playing.wanted.get()) is not None:
            if kind_of(message) == "question":
                parts = message["client_content"]["turns"][-1]["parts"]
                text = " ".join(part["text"] for part in parts if "text" in part)
                self.send("send-text", {"content": text})
            elif kind_of(message) == "sound":
                self.microphone.speak(tone(300, 1.0, SOUND_RATE_HZ))
        assert playing.stuck is None, f"never done: {playing.stuck}"

    def lines(self, kind: str) -> list[str]:
        return [line["text"] for line in self.of(kind) if line.get("final", True)]


@asynccontextmanager
async def listening(calls: RecordedCalls, name: str) -> AsyncIterator[Listening]:
    """A call to an agent."""
    caller = Listening(
        calls.url, FrameSource(fps=1.0), {"agent": name}, microphone=MicrophoneTrack()
    )
    await caller.connect()
    try:
        yield caller
    finally:
        await caller.hang_up()


async def listened(calls: RecordedCalls, name: str) -> Listening:
    """Make a call to an agent, until it has said all of its recording."""
    playing = calls.playing[name]
    async with listening(calls, name) as caller:
        await caller.act(playing)
        await until(lambda: len(caller.of("turn_complete")) == facts_of(playing.session).turns)
        await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
        # The last packets arrive after the message that the speaker has stopped.
        packets = len(caller.voiced)
        await until(lambda: len(caller.voiced) > packets + 10)
    return caller


async def test_every_recorded_session_is_a_good_call():
    sessions = {f"agent{n}": session for n, session in enumerate(recorded_sessions())}
    async with recorded_calls(sessions, sizes=(1920, 2402, 479)) as calls:
        few = asyncio.Semaphore(5)

        async def call(name: str) -> None:
            async with few:
                caller = await listened(calls, name)
            playing, facts = calls.playing[name], facts_of(sessions[name])
            if not facts.interruptions:
                assert caller.lines("bot-transcription") == facts.answers
            understood = " ".join(caller.lines("user-transcription"))
            assert understood == " ".join(facts.understood.split())
            assert calls.runs(name) == facts.calls
            assert len(caller.of("turn_complete")) == facts.turns
            assert not caller.of("error")
            assert playing.connections == 1
            # All of the voice, once; the first and the last packet of a stretch are partly silence.
            heard, sent = sum(caller.voiced) * 960, len(playing.voice)
            assert facts.interruptions or heard >= sent - 2 * 960
            assert heard < 1.5 * sent + 5 * 960

        await asyncio.gather(*map(call, sessions))


async def test_an_answer_that_came_faster_than_it_plays_is_cut_at_what_was_played():
    count = "one two three four five six seven eight nine ten"
    session = written(
        "counts",
        "gemini-3.8-live",
        asks("Count to ten."),
        *(says(f"{word} ") for word in count.split()),
        {"serverContent": {"generationComplete": True}},
        asks("Stop."),
        *INTERRUPTED,
    )
    async with (
        recorded_calls({"counter": session}, sizes=(24_000,)) as calls,
        listening(calls, "counter") as caller,
    ):
        caller.send("send-text", {"content": "Count to ten."})
        await until(lambda: sum(caller.voiced) > 50)
        caller.send("send-text", {"content": "Stop."})
        await caller.wait_for(lambda m: m["type"] == "bot-transcription")
        packets = len(caller.voiced)
        await until(lambda: len(caller.voiced) > packets + 25)
    [line] = caller.lines("bot-transcription")
    words, mark = line.split()[:-1], line.split()[-1]
    assert mark == "…"
    # Half a second of sound for each word.
    assert words == count.split()[: len(words)]
    assert abs(len(words) - sum(caller.voiced) / 25) < 2
    assert len(words) < 8
    assert not any(caller.voiced[-10:])
    assert caller.of("interrupted") == [{"kind": "interrupted", "heard": line}]


async def replayed(calls: RecordedCalls, file: Path, typed: str) -> dict[str, Report]:
    """Call each agent, and type."""
    reports = [
        replay(ReplayOptions(file, calls.url, asked={"agent": name}, timeout_s=20, typed=typed))
        for name in calls.playing
    ]
    return dict(zip(calls.playing, await asyncio.gather(*reports), strict=True))


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
        report = (await replayed(calls, file, "What is the time in Lima?"))["thinker"]
    assert (report.errors, report.ended) == ([], "answered")
    assert [line.text for line in report.transcript] == ["Let me think about that. It is noon."]


async def test_what_the_service_refuses_is_told_once_in_a_sentence(tmp_path):
    plain = written("plain", "gemini-3.8-live", asks("Hello."), says("Hello."), *ends())
    sessions = {
        "quota": refused(plain, 1011, QUOTA),
        "wordless": refused(plain, 1008, ""),
        "later": written("later", "gemini-3.8-live", asks("Hello."), closes(1008, QUOTA)),
    }
    file = make_image(tmp_path / "still.png")
    async with recorded_calls(sessions) as calls:
        reports = await replayed(calls, file, "Hello.")
        told = {name: report.errors for name, report in reports.items()}
    used_up = f"The model service's quota is used up: {QUOTA} Wait, or raise the quota."
    assert told == {
        "quota": [used_up],
        "wordless": ["The model service ended the conversation (1008): no reason given."],
        "later": [used_up],
    }
    assert {playing.connections for playing in calls.playing.values()} == {1}
