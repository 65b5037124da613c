"""Cutting in and coughing, from the caller's wire to the transcript: the whole product at work."""

import asyncio
import json
import time
from collections.abc import Callable

import numpy as np
import pytest_asyncio

from tests.conftest import serving
from tests.local.recordings import SPEECH
from vision_agent.caller.peer import CallerPeer
from vision_agent.caller.recording import SOUND_RATE_HZ, Samples, read_sound
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.utterances import utterances

LETTER_MS = 60
STORY = "Once upon a time there was a story, and it went on and on until somebody had enough."
LONG_STORY = f"{STORY} {STORY.replace(',', ';')} {STORY.replace('Once', 'Often')}"
SCENARIO = f"""
engine: false
voice: tone
hears: [stop]
answers:
  - when: {{words: a story}}
    say: "{STORY}"
  - when: {{words: a long one}}
    say: "{LONG_STORY}"
otherwise: {{say: []}}
"""


class Caller:
    """A peer whose packets are told apart: sound or none, and when they came."""

    def __init__(self, url: str) -> None:
        self._signalling = Signalling(url, None, 30)
        self.microphone = MicrophoneTrack()
        self.packets: list[bool] = []
        self.messages: list[dict] = []
        self.peer = CallerPeer(
            self.microphone, None, self.feed, self.feed, lambda: round(time.monotonic() * 1000)
        )

    def feed(self, what: str | Samples, at_ms: int) -> None:
        if isinstance(what, str):
            if what.startswith("{"):
                self.messages.append(json.loads(what))
        else:
            self.packets.append(float(np.sqrt(np.mean(what.astype(float) ** 2))) > 1000)

    async def dial(self) -> None:
        answer = await self._signalling.offer(await self.peer.offer())
        await self.peer.accept(answer.sdp)
        await self.until(lambda: self.of("bot-ready"))

    def of(self, kind: str) -> list[dict]:
        return [
            m.get("data") or {}
            for m in self.messages
            if kind in (m.get("type"), (m.get("data") or {}).get("kind"))
        ]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)

    @property
    def voiced(self) -> int:
        return sum(self.packets)


@pytest_asyncio.fixture
async def caller(tmp_path):
    (tmp_path / "story.yaml").write_text(SCENARIO)
    async with serving("--scenario", str(tmp_path / "story.yaml")) as server:
        caller = Caller(server.url)
        await caller.dial()
        yield caller
        await caller.peer.close()


async def test_a_cough_loses_nothing_and_words_end_the_answer_where_they_were_heard(caller):
    # A cough: energy like speech, and nothing that is speech. The agent waits, and goes on.
    caller.peer.type("a story")
    await caller.until(lambda: caller.voiced > 70)
    times = np.arange(round(0.18 * SOUND_RATE_HZ)) / SOUND_RATE_HZ
    noise = np.random.default_rng(1).normal(0, 1, len(times))
    noise = np.convolve(noise, np.ones(12) / 12, "same") * np.exp(-times / 0.07)
    caller.microphone.speak((noise / np.abs(noise).max() * 20_000).astype(np.int16))
    await caller.until(lambda: caller.of("bot-transcription"))
    await caller.until(lambda: not any(caller.packets[-20:]))
    assert [m["text"] for m in caller.of("bot-transcription")] == [STORY]
    assert not caller.of("interrupted")
    pauses = "".join("x" if voiced else " " for voiced in caller.packets).split("x")
    assert max(map(len, pauses[1:-1])) > 20, "the agent did not wait"
    # Not all of it reaches a peer that is kept waiting: its jitter buffer holds 16 packets.
    whole = len(STORY) * LETTER_MS // 20
    assert 0.8 * whole < caller.voiced < whole + 6

    # Words: the answer is over, and what was heard of it stays.
    caller.packets.clear()
    caller.peer.type("a long one")
    await caller.until(lambda: caller.voiced > 70)
    stop = read_sound(SPEECH / "stop.wav")
    caller.microphone.speak(stop, utterances(stop, SOUND_RATE_HZ))
    await caller.until(lambda: caller.of("interrupted"))
    await caller.until(lambda: len(caller.of("bot-transcription")) == 2)
    await asyncio.sleep(1)
    old = "".join("x" if voiced else " " for voiced in caller.packets).strip()
    (heard,) = [m["heard"] for m in caller.of("interrupted")]
    assert caller.of("bot-transcription")[1]["text"] == heard
    words = heard.removesuffix(" …")
    assert LONG_STORY.startswith(words + " ")
    # To the nearest word; and, again, what did not reach the peer.
    heard_ms, arrived_ms = len(words) * LETTER_MS, len(old.replace(" ", "")) * 20
    assert arrived_ms - 8 * LETTER_MS < heard_ms < 1.25 * arrived_ms + 8 * LETTER_MS
    assert not any(caller.packets[-20:])
