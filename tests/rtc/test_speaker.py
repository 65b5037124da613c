import asyncio
import fractions
import time

import av
import numpy as np
import psutil
import pytest

from tests.rtc.calling import Call, pitch_hz, tone
from tests.support.waiting import until
from vision_agent.rtc import Speaker
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError
from vision_agent.rtc.speaker import MAX_QUEUED_MS


def voice(ms: int, hz: float = 440) -> bytes:
    return tone(hz, ms / 1000, 24_000).astype("<i2").tobytes()


def heard(packets: list[av.Packet]) -> np.ndarray:
    """The packets decoded to 48 kHz by libopus, as in a browser."""
    codec = av.CodecContext.create("libopus", "r")
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", 48_000
    parts = []
    for packet in packets:
        copy = av.Packet(bytes(packet))
        copy.pts, copy.time_base = packet.pts, fractions.Fraction(1, 48_000)
        parts += [frame.to_ndarray()[0] for frame in codec.decode(copy)]
    return np.concatenate(parts)


class Clock:
    """Time that passes only when the speaker sleeps, or when a test stalls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr("vision_agent.rtc.speaker.time.monotonic", lambda: self.now_s)
        monkeypatch.setattr("vision_agent.rtc.speaker.asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


async def take(speaker: Speaker, count: int) -> list[av.Packet]:
    return [await speaker.recv() for _ in range(count)]


@pytest.mark.parametrize(("codec", "clock_hz"), [("opus", 48_000), ("pcmu", 8_000)])
async def test_a_recording_is_given_when_a_packet_was_due_also_after_a_stall(
    clock, codec, clock_hz
):
    shown = []

    class Tap:
        def sound(self, codec: str, data: bytes, ticks: int, now_s: float) -> None:
            shown.append((ticks / clock_hz, now_s))

    speaker = Speaker()
    speaker.use_codec(codec)
    speaker.tap = Tap()
    await take(speaker, 50)
    for stall_s in (0.05, 0.15):
        clock.now_s += stall_s
        await take(speaker, 50)
    due, sent = ([at - each[0] for at in each] for each in zip(*shown, strict=True))
    assert due[49:100] == pytest.approx([due[49] + n / 50 for n in range(51)], abs=1e-3)
    assert due[60:100] == pytest.approx(sent[60:100], abs=1e-3)
    assert due[100:] == pytest.approx(sent[100:], abs=1e-3)


async def test_packets_never_pause_and_their_timestamps_are_contiguous(clock):
    speaker = Speaker()
    packets = await take(speaker, 30)
    speaker.write(voice(500))
    speaker.flush()
    packets += await take(speaker, 70)
    assert [packet.pts for packet in packets] == [960 * n for n in range(100)]
    assert {packet.time_base for packet in packets} == {fractions.Fraction(1, 48_000)}
    assert clock.now_s == pytest.approx(1000 + 99 * 0.02)


async def test_what_is_written_in_one_burst_is_heard_as_it_was(clock):
    speaker = Speaker()
    await take(speaker, 10)
    pcm = voice(1000, 600)
    for at in range(0, len(pcm), 777):  # of any length, odd ones too
        speaker.write(pcm[at : at + 777])
    assert speaker.queued_ms == 1000
    sound = heard(await take(speaker, 60))
    assert pitch_hz(sound[4800:43_200], 48_000) == pytest.approx(600, abs=4)
    loud = np.abs(sound.astype(int)).reshape(-1, 960).max(axis=1) > 2000
    assert loud[1:50].all()
    assert not loud[52:].any()
    assert speaker.played_ms == 1000
    assert speaker.queued_ms == 0


async def test_silence_is_silent_and_speech_after_much_of_it_begins_at_once(clock):
    speaker = Speaker()
    packets = await take(speaker, 200)
    speaker.write(voice(200))
    packets += await take(speaker, 10)
    sound = np.abs(heard(packets).astype(int)).reshape(-1, 960).max(axis=1)
    assert sound[:200].max() <= 40
    assert sound[201:].min() > 6000


async def test_a_clear_lets_at_most_one_more_frame_of_the_old_answer_out(clock):
    speaker = Speaker()
    speaker.write(voice(10_000))
    packets = await take(speaker, 25)
    assert speaker.clear() == 9500
    assert speaker.queued_ms == 0
    packets += await take(speaker, 25)
    loud = np.abs(heard(packets).astype(int)).reshape(-1, 960).max(axis=1) > 500
    assert loud[5:25].all()
    assert not loud[26:].any()
    assert speaker.played_ms == 500


async def test_a_clear_while_the_next_packet_is_awaited_takes_that_packet_too():
    speaker = Speaker()
    speaker.write(voice(10_000))
    await take(speaker, 5)
    waiting = asyncio.ensure_future(speaker.recv())
    await asyncio.sleep(0)
    speaker.clear()
    await waiting
    assert speaker.played_ms == 100


async def test_the_new_answer_after_a_clear_is_not_mixed_with_the_old_one(clock):
    speaker = Speaker()
    speaker.write(voice(1000, 400) + b"\1")  # with half a sample at its end
    await take(speaker, 10)
    speaker.clear()
    speaker.write(voice(1000, 900))
    sound = heard(await take(speaker, 50))
    assert pitch_hz(sound[2400:], 48_000) == pytest.approx(900, abs=4)


async def test_after_a_stall_the_schedule_starts_anew_and_nothing_is_sent_in_a_burst(clock):
    speaker = Speaker()
    await take(speaker, 10)
    clock.now_s += 0.5
    times = []
    for _ in range(20):
        await speaker.recv()
        times.append(clock.now_s)
    gaps = np.diff(times)
    assert gaps.min() > 0.019
    assert gaps.max() < 0.021


async def test_a_short_stall_is_made_up_for_at_double_speed_at_most(clock):
    speaker = Speaker()
    await take(speaker, 10)
    due_s = clock.now_s
    clock.now_s += 0.09
    times = []
    for _ in range(20):
        await speaker.recv()
        times.append(clock.now_s)
    assert np.diff(times).min() > 0.0099
    assert times[-1] == pytest.approx(due_s + 20 * 0.02)


async def test_small_delays_do_not_slow_the_voice_down(clock):
    speaker = Speaker()
    await speaker.recv()
    for _ in range(100):
        clock.now_s += 0.015
        await speaker.recv()
    assert clock.now_s == pytest.approx(1000 + 100 * 0.02, abs=0.021)


async def test_more_than_the_bound_is_dropped_from_the_end_and_counted(clock):
    speaker = Speaker()
    for _ in range(13):
        speaker.write(voice(10_000))
    speaker.write(voice(1000))
    assert speaker.queued_ms == MAX_QUEUED_MS
    assert speaker.dropped_ms == 11_000
    await take(speaker, 50)
    speaker.write(voice(1000))
    assert speaker.queued_ms == MAX_QUEUED_MS


async def test_speaking_is_told_at_the_first_voiced_packet_and_when_the_voice_ran_dry(clock):
    told = []
    speaker = Speaker(on_speaking=told.append)
    await take(speaker, 5)
    speaker.write(voice(100))
    assert told == []
    await take(speaker, 1)
    assert told == [True]
    await take(speaker, 8)  # a short gap in the model's stream
    speaker.write(voice(100))
    await take(speaker, 5)
    assert told == [True]
    await take(speaker, 12)
    assert told == [True, False]


async def test_at_the_end_of_the_turn_the_rest_is_played_and_speaking_ends_at_once(clock):
    told = []
    speaker = Speaker(on_speaking=told.append)
    speaker.write(voice(50))
    await take(speaker, 4)
    assert speaker.played_ms == 40  # the last 10 ms wait for the other half of their frame
    speaker.flush()
    await take(speaker, 1)
    assert (speaker.played_ms, told) == (50, [True])
    await take(speaker, 1)
    assert told == [True, False]


async def test_a_clear_ends_speaking_at_once(clock):
    told = []
    speaker = Speaker(on_speaking=told.append)
    speaker.write(voice(1000))
    await take(speaker, 3)
    speaker.clear()
    speaker.clear()
    assert told == [True, False]


async def test_a_stopped_speaker_ends_its_reader():
    speaker = Speaker()
    await speaker.recv()
    waiting = asyncio.ensure_future(speaker.recv())
    await asyncio.sleep(0)
    speaker.stop()
    with pytest.raises(MediaStreamError):
        await waiting


async def test_a_stopped_speaker_leaves_no_thread_though_somebody_holds_it(clock):
    before = psutil.Process().num_threads()
    speaker = Speaker()
    await speaker.recv()
    speaker.stop()
    assert psutil.Process().num_threads() <= before


async def test_a_lost_packet_can_be_corrected_from_the_next(clock):
    speaker = Speaker()
    speaker.write(voice(400))
    packets = await take(speaker, 20)
    # RFC 6716 3.1: configurations 0 to 15 hold SILK, the layer that carries the correction.
    assert all(bytes(packet)[0] >> 3 < 16 for packet in packets[2:])
    assert all(len(bytes(packet)) < 200 for packet in packets)


async def test_a_peer_hears_the_answer_over_the_wire(call: Call):
    call.caller.addTransceiver("audio", direction="recvonly")
    await call.connect()
    frames = []

    async def listen() -> None:
        while len(frames) < 150:
            frames.append(await call.heard[0].recv())

    call.voice.write(voice(2000, 700))
    call.voice.flush()
    began = time.monotonic()
    await asyncio.wait_for(listen(), 10)
    assert time.monotonic() - began > 2.5
    stamps = [frame.pts for frame in frames]
    assert set(np.diff(stamps)) == {960}
    sound = np.concatenate(
        [frame.to_ndarray()[0, :: len(frame.layout.channels)] for frame in frames]
    )
    loud = np.abs(sound.astype(int)).reshape(-1, 960).max(axis=1) > 2000
    assert 95 <= loud.sum() <= 102
    first = int(np.argmax(loud))
    assert pitch_hz(sound[(first + 5) * 960 : (first + 90) * 960], 48_000) == pytest.approx(
        700, abs=4
    )
    await until(lambda: call.voice.played_ms == 2000)


async def test_a_paused_answer_goes_on_where_it_stopped_and_packets_never_pause(clock):
    told = []
    speaker = Speaker(on_speaking=told.append)
    speaker.write(voice(200))
    first = await take(speaker, 4)
    speaker.pause()
    pause = await take(speaker, 15)
    assert (speaker.played_ms, speaker.queued_ms, speaker.speaking) == (80, 120, True)
    speaker.resume()
    rest = await take(speaker, 10)
    assert speaker.played_ms == 200
    assert told == [True]
    stamps = [packet.pts for packet in first + pause + rest]
    assert np.all(np.diff(stamps) == 960)
    levels = np.abs(heard(first + pause + rest).reshape(-1, 960)).max(axis=1)
    assert levels[6:19].max() < 300 < levels[20]


async def test_a_paused_answer_can_be_cleared_and_the_next_one_is_not_paused(clock):
    speaker = Speaker()
    speaker.write(voice(200))
    await take(speaker, 2)
    speaker.pause()
    assert speaker.clear() == 160
    assert not speaker.paused
    speaker.write(voice(100))
    await take(speaker, 5)
    assert speaker.played_ms == 140
