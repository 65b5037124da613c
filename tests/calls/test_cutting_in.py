"""Cutting in and coughing, from the caller's packets to the transcript, with the whole product."""

import asyncio

import numpy as np
import pytest_asyncio

from tests.conftest import serving
from tests.local.recordings import SPEECH
from tests.support.dialling import Dialled
from tests.support.metrics import metrics
from tests.support.waiting import until
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
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


@pytest_asyncio.fixture
async def caller(tmp_path):
    (tmp_path / "story.yaml").write_text(SCENARIO)
    async with serving("--scenario", str(tmp_path / "story.yaml")) as server:
        caller = Dialled(server.url, microphone=MicrophoneTrack())
        await caller.connect()
        yield caller
        await caller.peer.close()


async def test_a_cough_loses_nothing_and_words_end_the_answer_where_they_were_heard(caller):
    # A cough has the energy of speech, but no speech follows: the agent pauses, and goes on.
    caller.send("send-text", {"content": "a story"})
    await until(lambda: sum(caller.voiced) > 70)
    times = np.arange(round(0.18 * SOUND_RATE_HZ)) / SOUND_RATE_HZ
    noise = np.random.default_rng(1).normal(0, 1, len(times))
    noise = np.convolve(noise, np.ones(12) / 12, "same") * np.exp(-times / 0.07)
    caller.microphone.speak((noise / np.abs(noise).max() * 20_000).astype(np.int16))
    await until(lambda: caller.of("bot-transcription"))
    await until(lambda: not any(caller.voiced[-20:]))
    assert [m["text"] for m in caller.of("bot-transcription")] == [STORY]
    assert not caller.of("interrupted")
    pauses = "".join("x" if voiced else " " for voiced in caller.voiced).split("x")
    assert max(map(len, pauses[1:-1])) > 20, "the agent did not wait"
    # A pause costs the peer some packets: its jitter buffer holds 16.
    whole = len(STORY) * LETTER_MS // 20
    assert 0.8 * whole < sum(caller.voiced) < whole + 6

    # Words end the answer; the part that was played stays.
    caller.voiced.clear()
    caller.send("send-text", {"content": "a long one"})
    await until(lambda: sum(caller.voiced) > 70)
    stop = read_sound(SPEECH / "stop.wav")
    caller.microphone.speak(stop, utterances(stop, SOUND_RATE_HZ))
    await until(lambda: caller.of("interrupted"))
    await until(lambda: len(caller.of("bot-transcription")) == 2)
    await asyncio.sleep(1)
    old = "".join("x" if voiced else " " for voiced in caller.voiced).strip()
    (heard,) = [m["heard"] for m in caller.of("interrupted")]
    assert caller.of("bot-transcription")[1]["text"] == heard
    words = heard.removesuffix(" …")
    assert LONG_STORY.startswith(words + " ")
    # Within a word, and without the packets that the peer lost.
    heard_ms, arrived_ms = len(words) * LETTER_MS, len(old.replace(" ", "")) * 20
    assert arrived_ms - 8 * LETTER_MS < heard_ms < 1.25 * arrived_ms + 8 * LETTER_MS
    assert not any(caller.voiced[-20:])

    # The metrics: the caller's waits, and the cough, which was no interruption.
    figures = await asyncio.to_thread(metrics, caller.url)
    for name, asked, count in (
        ("first_sound", "typed", 2),
        ("first_sound", "spoken", 0),
        ("interruption", "spoken", 1),
        ("interruption", "typed", 0),
    ):
        figure = f'vision_agent_{name}_seconds_{{}}{{{{asked="{asked}"}}}}'
        assert figures[figure.format("count")] == count, figure
        assert bool(count) <= 1000 * figures[figure.format("sum")] <= 5000 * count, figure
