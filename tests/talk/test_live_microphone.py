import asyncio

from tests.support.signals import loud
from vision_agent.talk.live_microphone import LiveMicrophoneTrack


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
