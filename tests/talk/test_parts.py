"""The parts of `talk` that need no call."""

import asyncio
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.caller.call_recorder import CallRecorder
from vision_agent.caller.live_captions import LiveCaptions
from vision_agent.caller.playout import Playout
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.caller.reply_watch import ReplyWatch
from vision_agent.caller.taps import LiveMicrophoneTrack
from vision_agent.talk.choosing import NoSuchDevice, choose
from vision_agent.talk.echo import BLOCK_SAMPLES, Canceller, HalfDuplex, NoEcho, echo_guard, rms
from vision_agent.talk.screen import bar_cells
from vision_agent.talk.webcam import CameraUnavailable, WebcamTrack

DEVICES = ("Built-in Audio", "USB Headset", "USB Camera")


def loud(count: int) -> np.ndarray:
    return np.full(count, 5000, np.int16)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [(None, None), ("1", "USB Headset"), ("headset", "USB Headset"), ("USB Camera", "USB Camera")],
)
def test_a_device_is_chosen_by_number_or_by_part_of_its_name(wanted, name) -> None:
    assert choose(DEVICES, wanted, what="microphone", option="--input") == name


@pytest.mark.parametrize(
    ("devices", "wanted", "words"),
    [
        ((), None, "no microphone on this machine"),
        (DEVICES, "3", "numbered 0 to 2"),
        (DEVICES, "piano", "There are: Built-in Audio"),
        (DEVICES, "usb", "fits several: USB Headset, USB Camera"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(devices, wanted, words) -> None:
    with pytest.raises(NoSuchDevice, match=words):
        choose(devices, wanted, what="microphone", option="--input")


def heard_through(guard, recordings: Path) -> tuple[float, float]:
    """How loud echo alone, and speech over echo, come out: dB over what went in."""
    far = read_sound(recordings / "jfk.flac")[: 8 * SOUND_RATE_HZ]
    speech = read_sound(recordings / "speech" / "what-do-you-see.wav")[:SOUND_RATE_HZ]
    room = np.zeros(2400)
    random = np.random.default_rng(1)
    room[0], room[random.integers(1, 2400, 30)] = 0.5, random.normal(0, 0.05, 30)
    delay = np.zeros(SOUND_RATE_HZ * 80 // 1000)
    echo = np.concatenate([delay, np.convolve(far, room)])[: len(far)]
    near = echo + random.normal(0, 10, len(far))
    at = 6 * SOUND_RATE_HZ
    near[at : at + len(speech)] += speech
    near = np.clip(near, -32768, 32767).astype(np.int16)
    out = np.concatenate(
        [
            guard.clean(near[i : i + BLOCK_SAMPLES], far[i : i + BLOCK_SAMPLES])
            for i in range(0, len(far) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)
        ]
    )

    def gain_db(start: int, stop: int) -> float:
        return 20 * np.log10((rms(out[start:stop]) + 1) / (rms(near[start:stop]) + 1))

    return gain_db(4 * SOUND_RATE_HZ, at), gain_db(at, at + len(speech))


def test_the_echo_is_taken_out_and_the_caller_who_speaks_over_it_stays(recordings: Path) -> None:
    echo_db, speech_db = heard_through(Canceller(), recordings)
    assert echo_db < -20
    assert speech_db > -6


def test_half_duplex_is_silent_while_the_agent_speaks_and_headphones_change_nothing() -> None:
    guard, quiet = HalfDuplex(), np.zeros(BLOCK_SAMPLES, np.int16)
    assert not guard.clean(loud(BLOCK_SAMPLES), loud(BLOCK_SAMPLES)).any()
    after = [guard.clean(loud(BLOCK_SAMPLES), quiet).any() for _ in range(60)]
    assert after == sorted(after)
    assert after.index(True) * 10 in range(300, 400)
    assert NoEcho().clean(loud(4), loud(4)).all()
    assert isinstance(echo_guard(headphones=False, half_duplex=False), Canceller)
    assert isinstance(echo_guard(headphones=False, half_duplex=True), HalfDuplex)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), max_size=200))
def test_what_waits_to_be_played_is_bounded_and_comes_out_in_order(steps) -> None:
    playout, pushed, pulled = Playout(), 0, []
    for pushes, count in steps:
        if pushes:
            # Numbered from 1000 on, so that none of it counts as quiet.
            piece = np.arange(pushed, pushed + count, dtype=np.int64) % 20_000 + 1000
            playout.push(piece.astype(np.int16))
            pushed += count
        else:
            pulled += [s for s in playout.pull(count).tolist() if s]
        assert playout.waiting_ms <= 300
    if pushed <= 20_000:
        assert pulled == sorted(pulled)


def test_a_stream_that_gets_ahead_loses_its_silence_and_not_its_speech() -> None:
    playout = Playout()
    for _ in range(4):
        playout.push(loud(960))
    playout.push(np.zeros(960, np.int16))
    assert playout.waiting_ms == 80
    playout.push(loud(960))
    assert (playout.waiting_ms, playout.left_out_ms) == (100, 0)


def test_a_reply_is_timed_from_the_last_word_to_the_first_of_the_answer() -> None:
    watch = ReplyWatch()
    for at in range(0, 1000, 20):
        watch.sent(5, at)
    assert watch.said_ms is None
    for at in range(1000, 1500, 20):
        watch.sent(4000, at)
    for at in range(1500, 2300, 20):
        watch.sent(5, at)
    assert watch.said_ms == 1480
    assert watch.received(10, 20, 1900) is None
    assert watch.received(3000, 20, 2280) == 800
    assert watch.received(3000, 20, 2300) is None
    # Spoken over: what still comes of the old answer is not the new one.
    watch.sent(4000, 2310)
    assert watch.received(3000, 20, 2320) is None
    assert watch.received(3000, 20, 3320) == 1010


def test_a_noisy_room_is_not_speech() -> None:
    watch = ReplyWatch()
    for at in range(0, 60_000, 20):
        watch.sent(300 + at % 40, at)
    assert watch.said_ms is None or watch.said_ms < 10_000


def test_both_sides_are_recorded_in_the_calls_own_time(tmp_path: Path) -> None:
    recorder = CallRecorder(tmp_path / "call.wav")
    for n in range(1, 151):
        recorder.caller(loud(960), n * 20)
    # The agent's voice comes from 2 s on only, and a packet of it is lost.
    for n in [*range(101, 120), *range(121, 151)]:
        recorder.agent(loud(960), n * 20 + n % 3)
    recorder.close()
    with wave.open(str(tmp_path / "call.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    assert len(samples) == 3 * SOUND_RATE_HZ
    assert samples[:, 0].all()
    assert np.flatnonzero(samples[:, 1])[0] / SOUND_RATE_HZ == pytest.approx(2, abs=0.1)


def test_captions_grow_word_by_word_and_go_when_the_line_is_whole() -> None:
    shown: list[tuple[str, str]] = []
    states: list[str] = []
    captions = LiveCaptions(lambda who, text: shown.append((who, text)), states.append)
    captions.feed('{"type": "user-transcription", "data": {"text": "what", "final": false}}')
    captions.feed('{"type": "bot-tts-text", "data": {"text": "I "}}')
    captions.feed('{"type": "bot-tts-text", "data": {"text": "see"}}')
    captions.feed('{"type": "bot-transcription", "data": {"text": "I see"}}')
    captions.feed('{"type": "server-message", "data": {"kind": "state", "state": "speaking"}}')
    for nonsense in ("", "[]", '{"data": 3}', "ping"):
        captions.feed(nonsense)
    assert shown == [("user", "what"), ("agent", "I "), ("agent", "I see"), ("agent", "")]
    assert states == ["speaking"]


def test_a_levels_bar_is_empty_for_silence_and_full_at_full_scale() -> None:
    assert bar_cells(0) == 0
    assert 0 < bar_cells(300) < bar_cells(5000) < bar_cells(32768)


async def test_a_microphone_sends_what_it_hears_and_silence_when_muted_or_dead() -> None:
    track = LiveMicrophoneTrack()
    track.push_from_thread(loud(480))
    track.push_from_thread(loud(480))
    frame = await track.recv()
    assert (frame.samples, frame.sample_rate, frame.pts) == (960, 48_000, 0)
    assert frame.to_ndarray().all()
    assert (await track.recv()).to_ndarray().max() == 0
    track.mute()
    track.push_from_thread(loud(960))
    await asyncio.sleep(0)
    assert (await track.recv()).to_ndarray().max() == 0
    track.unmute()
    track.push_from_thread(loud(960))
    await asyncio.sleep(0)
    assert (await track.recv()).to_ndarray().max() > 0
    track.stop()


async def test_what_was_said_before_the_mute_is_sent_however_late_and_only_then_is_it_off() -> None:
    track, off = LiveMicrophoneTrack(), asyncio.Event()
    for _ in range(10):  # 200 ms that a busy machine has not sent yet
        track.push_from_thread(loud(960))
    await asyncio.sleep(0)
    track.mute(100, off.set)
    for _ in range(10):
        track.push_from_thread(loud(960))
    sent = []
    while not off.is_set():
        sent.append((await track.recv()).to_ndarray().max() > 0)
        await asyncio.sleep(0)
    assert sent == [True] * 15
    assert (await track.recv()).to_ndarray().max() == 0
    track.stop()


async def test_the_microphone_is_off_too_when_its_device_gives_nothing_more() -> None:
    track, off = LiveMicrophoneTrack(), asyncio.Event()
    track.mute(100, off.set)
    for _ in range(5):
        assert not off.is_set()
        await track.recv()
        await asyncio.sleep(0)
    assert off.is_set()
    track.unmute()
    track.mute(100, off.set)
    off.clear()
    track.unmute()  # before the last of it was sent
    for _ in range(10):
        await track.recv()
        await asyncio.sleep(0)
    assert not off.is_set()
    track.stop()


async def test_a_camera_gives_pictures_with_growing_times_and_ends_with_its_source(
    recordings: Path,
) -> None:
    track = WebcamTrack(str(recordings / "bottle.mp4"))
    began = time.monotonic()
    frames = [await track.recv() for _ in range(4)]
    assert time.monotonic() - began >= 3 / 15 - 0.05
    assert (frames[0].width, frames[0].height, frames[0].format.name) == (640, 360, "yuv420p")
    assert [f.pts for f in frames] == sorted({f.pts for f in frames})
    track.stop()


def test_a_camera_that_is_not_there_is_said_in_words() -> None:
    with pytest.raises(CameraUnavailable, match="--camera none"):
        WebcamTrack(9)
