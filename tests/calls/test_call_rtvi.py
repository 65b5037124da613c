"""An RTVI client gets the caller's and the agent's words, over a real peer."""

import asyncio

import numpy as np
import pytest

from tests.rtc.calling import plain
from tests.support.dialling import Dialled
from tests.support.messages import said, state
from tests.support.waiting import until
from vision_agent import CallClient
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.caller.tracks import MicrophoneTrack

pytestmark = pytest.mark.asyncio(loop_scope="module")


def output(caller: Dialled, status: str | None = None) -> list[dict]:
    data = [m["data"] for m in caller.messages if m["type"] == "bot-output"]
    return [d for d in data if status in (None, d["spoken_status"])]


async def test_an_answer_is_shown_sentence_by_sentence_and_then_how_it_is_spoken(caller):
    caller.send("send-text", {"content": "what can you do, in short?"})
    answer = await caller.wait_for(lambda m: bool(said(m)))
    await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
    new = output(caller, "new")
    await until(lambda: len(output(caller, "completed")) >= len(new))
    assert len(new) > 1
    assert " ".join(d["text"] for d in new).split() == said(answer).split()
    assert all(d["will_be_spoken"] for d in output(caller))
    assert len({d["segment_id"] for d in new}) == len(new)
    for segment in new:
        told = [d for d in output(caller) if d["segment_id"] == segment["segment_id"]]
        statuses = [d["spoken_status"] for d in told]
        assert statuses == ["new", *["in-progress"] * (len(told) - 2), "completed"]
        assert {d["text"] for d in told} == {segment["text"]}
        lengths = [len(d["spoken_progress"]["accumulated_text"]) for d in told[1:]]
        assert lengths == sorted(set(lengths))
        for d in told[1:]:
            progress = d["spoken_progress"]
            assert progress["accumulated_text"] + progress["remaining_text"] == d["text"]
    assert output(caller, "in-progress")


async def test_progress_stops_where_an_answer_is_interrupted(caller):
    caller.send("send-text", {"content": "what can you do?"})
    await caller.wait_for(lambda m: m["type"] == "bot-started-speaking")
    caller.send("send-text", {"content": "stop"})
    cut = await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "interrupted")
    at = caller.messages.index(cut)
    await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
    first = {m["data"]["segment_id"] for m in caller.messages[:at] if m["type"] == "bot-output"}
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(
        lambda m: (
            m["type"] == "bot-output"
            and m["data"]["segment_id"] not in first
            and m["data"]["spoken_status"] == "completed"
        )
    )
    later = [m["data"] for m in caller.messages[at:] if m["type"] == "bot-output"]
    assert not first & {d["segment_id"] for d in later}


async def test_an_answer_that_is_not_wanted_in_sound_is_shown_and_not_spoken(caller):
    await caller.wait_for(lambda m: state(m) == "listening")
    options = {"audio_response": False}
    caller.send("send-text", {"content": "what can you do, in short?", "options": options})
    answer = await caller.wait_for(lambda m: bool(said(m)))
    await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "turn_complete")
    assert "bot-started-speaking" not in [m["type"] for m in caller.messages]
    shown = output(caller)
    assert " ".join(d["text"] for d in shown).split() == said(answer).split()
    assert {(d["will_be_spoken"], d["spoken_status"]) for d in shown} == {(False, "new")}
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(lambda m: m["type"] == "bot-started-speaking")


async def test_what_the_agent_is_only_to_know_is_not_answered(caller):
    await caller.wait_for(lambda m: state(m) == "listening")
    options = {"run_immediately": False}
    caller.send("send-text", {"content": "my name is Ann", "options": options})
    caller.send("append-to-context", {"role": "assistant", "content": "Hello Ann."})
    caller.send("client-message", {"t": "nothing of the kind"})
    await caller.wait_for(lambda m: m["type"] == "error-response")
    await asyncio.sleep(1)  # an answer would have begun within 0.3 s
    assert "bot-llm-started" not in [m["type"] for m in caller.messages]
    assert not [m for m in caller.messages if state(m) == "thinking"]
    caller.send("send-text", {"content": "hello"})
    await caller.wait_for(lambda m: bool(said(m)))


async def test_the_callers_words_are_final_when_the_answer_begins(url, recordings):
    microphone = MicrophoneTrack()
    caller = Dialled(url, microphone=microphone)
    await caller.connect()
    try:
        microphone.speak(read_sound(recordings / "speech" / "what-colour-is-this.wav"))
        await caller.wait_for(lambda m: m["type"] == "bot-started-speaking")
        final = await caller.wait_for(
            lambda m: m["type"] == "user-transcription" and m["data"]["final"]
        )
        kinds = [m["type"] for m in caller.messages]
        assert kinds.index("bot-llm-started") > caller.messages.index(final)
        await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "turn_complete")
        finals = [m for m in caller.messages if m["type"] == "user-transcription"]
        assert [m["data"]["text"] for m in finals if m["data"]["final"]] == [final["data"]["text"]]
    finally:
        await caller.peer.close()


async def test_a_pause_does_not_end_a_turn_that_the_microphones_switch_makes(url, recordings):
    asked = {"voice_activity_detection": False, "thinking_level": "low"}
    pause = np.zeros(2 * SOUND_RATE_HZ, np.int16)
    sound = read_sound(recordings / "speech" / "what-colour-is-this.wav")
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 500)
    question = sound[loud[0] : loud[-1]]
    half = len(question) // 2
    async with CallClient(url, show=plain(220, 30, 30), asked=asked) as call:
        told = np.concatenate([question[:half], pause, question[half:]])
        answer = await call.say(_at_16_khz(told), rate_hz=16_000)
        lines = [who for who, _ in call.transcript]
        await until(lambda: call.usage is not None)
        assert call.usage["note"] == "The local engine costs nothing."
    assert answer.text
    assert lines == ["user", "agent"]


def _at_16_khz(sound: np.ndarray) -> bytes:
    return sound[:: SOUND_RATE_HZ // 16_000].astype("<i2").tobytes()
