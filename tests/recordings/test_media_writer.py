"""The file holds all sound and video of any sender, once and at the right time."""

import io
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

import av
import numpy as np
import pytest

from tests.recordings.recording_here import OPUS
from tests.support.encoding import EncodedFrame, encoded
from vision_agent.recordings.call_recording import BEGINS_AFTER_S
from vision_agent.recordings.matroska import MatroskaFile
from vision_agent.recordings.media_writer import MediaWriter, RecordedPacket


class Found(NamedTuple):
    """One track of a file: its packets' times, and the sizes of its decoded frames."""

    title: str
    codec: str
    times: list[float]
    sizes: list[tuple[int, int]]


class Written:
    """A recording in memory, written twice a second as in the product."""

    def __init__(self, max_lead_s: float = 0.0) -> None:
        self.file = io.BytesIO()
        matroska = MatroskaFile(self.file, datetime(2026, 1, 1, tzinfo=UTC), "test")
        self.media = MediaWriter(matroska, max_lead_s)
        self._matroska = matroska
        self._packets: list[RecordedPacket] = []

    def sound(
        self,
        arrivals: Iterable[tuple[float, float]],
        codec: str = "opus",
        *,
        title: str = "caller",
        sender: int = 0,
        data: bytes = b"",
    ) -> None:
        """Record packets, given as (the sender's time, arrival) in seconds."""
        clock_hz = 48_000 if codec == "opus" else 8_000
        data = data or (OPUS if codec == "opus" else b"\xff" * 160)
        self._packets += [
            RecordedPacket(title, sender, codec, clock_hz, round(at_s * clock_hz), arrived_s, data)
            for at_s, arrived_s in arrivals
        ]

    def video(
        self,
        frames: Iterable[EncodedFrame],
        codec: str,
        at_s: float,
        size: tuple[int, int],
        *,
        sender: int = 0,
        ticks: int = 0,
    ) -> None:
        for n, frame in enumerate(frames):
            self._packets.append(
                RecordedPacket(
                    *("camera", sender, codec, 90_000, ticks + 3_000 * n, at_s + n / 30),
                    frame.data,
                    key=frame.key,
                    size=size if frame.key else None,
                )
            )

    def found(self) -> list[Found]:
        """Ends the recording; returns the tracks of its file."""
        due_s = BEGINS_AFTER_S
        for packet in sorted(self._packets, key=lambda each: each.arrived_s):
            while packet.arrived_s >= due_s:
                self._write(due_s)
                due_s += 0.5
            self.media.take(packet)
        self._write(due_s, ending=True)
        self._matroska.finish()
        tracks = []
        for n in range(len(av.open(io.BytesIO(self.file.getvalue())).streams)):
            with av.open(io.BytesIO(self.file.getvalue())) as media:
                stream = media.streams[n]
                packets = [packet for packet in media.demux(stream) if packet.pts is not None]
                times = [float(packet.pts * packet.time_base) for packet in packets]
                frames = [each for packet in [*packets, None] for each in stream.decode(packet)]
                sizes = [(f.width, f.height) for f in frames if isinstance(f, av.VideoFrame)]
                name = stream.codec_context.name
                tracks.append(Found(stream.metadata["title"], name, times, sizes))
        return tracks

    def _write(self, now_s: float, *, ending: bool = False) -> None:
        if now_s == BEGINS_AFTER_S:
            self.media.begin(now_s)
        self.media.write(now_s, ending=ending)


def in_time(count: int, said_s: float, arrived_s: float) -> list[tuple[float, float]]:
    return [(said_s + n / 50, arrived_s + n / 50) for n in range(count)]


def at_once(count: int, said_s: float, arrived_s: float) -> list[tuple[float, float]]:
    return [(said_s + n / 50, arrived_s) for n in range(count)]


@pytest.mark.parametrize("burst_s", [0.7, 4.0])
def test_sound_that_the_set_up_of_the_call_held_up_is_in_the_recording_where_it_was_said(burst_s):
    written = Written(max_lead_s=8.0)
    count = round(50 * burst_s)
    written.sound(at_once(count, 100.0, 0.1))
    written.sound(in_time(100, 100.0 + burst_s, 0.12))
    written.sound(in_time(100, 0.0, 0.0), title="agent")
    caller, agent = written.found()
    lead_s = burst_s - 0.12
    assert written.media.lead_ms == pytest.approx(1000 * lead_s, abs=2)
    assert caller.times == pytest.approx([n / 50 for n in range(count + 100)], abs=0.002)
    assert agent.times == pytest.approx([lead_s + n / 50 for n in range(100)], abs=0.002)


def test_a_sender_that_begins_slowly_and_then_in_a_burst_is_placed_by_the_burst():
    written = Written(max_lead_s=8.0)
    slow = [(n / 50, 0.2 + n / 5) for n in range(4)]
    written.sound(slow + [(n / 50, 0.81) for n in range(4, 150)] + in_time(100, 3.0, 0.83))
    (caller,) = written.found()
    assert caller.times == pytest.approx([n / 50 for n in range(250)], abs=0.002)
    assert written.media.lead_ms == pytest.approx(2_170, abs=2)


def test_speech_that_is_sent_faster_than_it_is_said_keeps_its_distances():
    # The first burst arrives after the file's beginning is fixed, so that there is no time before
    # it; another follows after a pause. Then the sender continues in real time.
    written = Written(max_lead_s=8.0)
    written.sound(at_once(150, 0.0, 1.6))
    written.sound(at_once(150, 100.0, 9.0) + in_time(200, 103.0, 9.02))
    (caller,) = written.found()
    assert written.media.lead_ms == 0
    first, second = caller.times[:150], caller.times[150:]
    assert first == pytest.approx([n / 50 for n in range(150)], abs=0.03)
    assert second[:150] == pytest.approx([6.02 + n / 50 for n in range(150)], abs=0.03)
    assert second[-1] == pytest.approx(13.0, abs=0.03)


def test_sound_that_can_not_be_placed_is_in_the_recording_all_the_same():
    written = Written(max_lead_s=8.0)
    written.sound(in_time(100, 0.0, 0.0) + at_once(400, 2.0, 2.0) + in_time(50, 10.0, 2.02))
    (caller,) = written.found()
    assert len(caller.times) == 550
    assert all(b > a for a, b in pairwise(caller.times))
    assert caller.times[99] == pytest.approx(1.98, abs=0.002)
    assert caller.times[-1] < 2.0 + 5.0 + 1.1


def test_what_was_said_before_a_recording_that_begins_in_the_call_is_left_out():
    written = Written()
    written.sound(at_once(50, 0.0, 0.1) + in_time(100, 1.0, 0.12))
    (caller,) = written.found()
    assert caller.times[0] == pytest.approx(0.0, abs=0.03)
    assert len(caller.times) == pytest.approx(105, abs=2)


def test_another_codec_or_connection_is_placed_by_its_own_clock_and_after_what_came_before():
    written = Written()
    written.sound(in_time(100, 0.0, 0.0))
    written.sound(in_time(100, 5_000.0, 2.0), "PCMA")
    written.sound(in_time(100, 70.0, 4.0), "G722")
    # A new connection, whose first packets were held up for longer than the gap before them.
    written.sound(at_once(50, 9.0, 6.1) + in_time(250, 10.0, 6.12), sender=1)
    tracks = written.found()
    assert [each.codec for each in tracks] == ["opus", "pcm_alaw", "g722"]
    opus, alaw, g722 = (each.times for each in tracks)
    assert opus[:100] == pytest.approx([n / 50 for n in range(100)], abs=0.002)
    assert alaw == pytest.approx([2 + n / 50 for n in range(100)], abs=0.002)
    assert g722 == pytest.approx([4 + n / 50 for n in range(100)], abs=0.002)
    assert len(opus) == 400
    assert opus[100:150] == pytest.approx([g722[-1] + n / 50 for n in range(50)], abs=0.002)
    assert opus[-1] == pytest.approx(11.1, abs=0.1)
    assert all(b > a for a, b in pairwise(opus))


@pytest.mark.parametrize(("codec", "encoder"), [("VP8", "libvpx"), ("H264", "libx264")])
def test_a_camera_that_turns_or_changes_its_size_is_one_track(codec, encoder):
    written = Written()
    sizes = [(320, 240), (240, 320), (640, 360)]
    for n, size in enumerate(sizes):
        # Another camera of the same sender restarts its timestamps.
        written.video(encoded(encoder, *size, 10), codec, float(n), size, ticks=(0, 60_000, 7)[n])
    (camera,) = written.found()
    assert camera.sizes == [size for size in sizes for _ in range(10)]
    for n in range(3):
        assert camera.times[10 * n] == pytest.approx(n, abs=0.04)
    assert all(b > a for a, b in pairwise(camera.times))


def test_parameter_sets_alone_and_those_that_lie_are_not_stored():
    key, delta = encoded("libx264", 320, 240, 2)
    slice_at = key.data.index(b"\0\0\1\x65")
    alone = EncodedFrame(key.data[:slice_at], False)
    # A sequence of 16384x16384 that no key frame begins.
    lying = EncodedFrame(alone.data[:3] + b"\x67\x42\xc0\x1e" + b"\xf8" + delta.data, False)
    written = Written()
    written.video([key, alone, delta, lying, delta], "H264", 0.0, (320, 240))
    (camera,) = written.found()
    assert len(camera.times) == 4
    assert b"\x67\x42\xc0\x1e\xf8" not in written.file.getvalue()


def test_parameter_sets_that_fill_the_header_leave_room_for_the_agents_voice():
    key = encoded("libx264", 320, 240, 1)[0]
    many = b"".join(b"\0\0\1\x68" + bytes([n]) + 900 * b"\1" for n in range(1, 15))
    written = Written()
    written.video([EncodedFrame(many + key.data, True)], "H264", 0.0, (320, 240))
    written.sound(in_time(50, 0.0, 0.5), title="agent")
    (agent,) = written.found()
    assert (agent.title, len(agent.times)) == ("agent", 50)
    assert written.media.left_out == 1


def test_timestamps_that_are_years_apart_change_neither_order_nor_length():
    chance = random.Random(3)
    written = Written(max_lead_s=8.0)
    written.sound([(chance.uniform(-1e5, 1e5), n / 50) for n in range(500)])
    frames = encoded("libx264", 320, 240, 30)
    for n, frame in enumerate(frames):
        ticks = chance.randrange(-(1 << 40), 1 << 40)
        written.video([frame], "H264", n / 3, (320, 240), ticks=ticks)
    written.sound(in_time(500, 0.0, 0.0), title="agent")
    for track in written.found():
        assert min(track.times) >= -0.001
        assert max(track.times) < 10.3 + written.media.lead_ms / 1000
        if track.title == "camera":
            assert len(track.sizes) == 30
        else:
            assert len(track.times) == 500
            assert all(b > a for a, b in pairwise(track.times))
        if track.title == "agent":
            assert track.times[-1] == pytest.approx(9.98 + written.media.lead_ms / 1000, abs=0.01)


def test_one_byte_of_a_pause_and_sound_of_other_lengths_are_kept_as_they_came():
    # Opus that pauses (DTX): a packet of one byte each 400 ms; then packets of 60 ms.
    written = Written()
    written.sound(in_time(25, 0.0, 0.0))
    written.sound([(0.5 + 0.4 * n, 0.5 + 0.4 * n) for n in range(5)], data=b"\xf8")
    written.sound([(2.5 + 0.06 * n, 2.5 + 0.06 * n) for n in range(20)], data=b"\x18" + OPUS)
    (caller,) = written.found()
    assert len(caller.times) == 50
    assert caller.times[25:30] == pytest.approx([0.5, 0.9, 1.3, 1.7, 2.1], abs=0.002)
    assert caller.times[-1] == pytest.approx(2.5 + 0.06 * 19, abs=0.002)


def left_alone() -> bytes:
    """A stereo packet of Opus, with sound on the left only."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    sound = np.zeros((1, 2 * 960), np.int16)
    sound[0, ::2] = 12_000 * np.sin(np.arange(960) / 10)
    frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="stereo")
    frame.sample_rate, frame.pts = 48_000, 0
    return bytes([*encoder.encode(frame), *encoder.encode(None)][0])


def test_a_sender_whose_first_sound_is_mono_stays_stereo_after_it():
    written = Written()
    written.sound(in_time(50, 0.0, 2.0))
    written.sound(in_time(50, 1.0, 3.0), data=left_alone())
    written.found()
    with av.open(io.BytesIO(written.file.getvalue())) as media:
        left, right = np.hstack([frame.to_ndarray() for frame in media.decode(audio=0)])
    assert np.abs(left).max() > 0.1
    assert np.abs(right).max() < 0.02
