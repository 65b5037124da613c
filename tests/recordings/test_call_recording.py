"""A recording can be played however it ended, and never fills its disk."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.recordings.recording_here import OPUS, Sent
from tests.support.encoding import encoded
from tests.support.waiting import until
from vision_agent.recordings import call_files, call_recording
from vision_agent.recordings.lines import (
    EndedLine,
    FrameLine,
    HeaderLine,
    NoticeLine,
    ReceivedLine,
    SpokenLine,
)
from vision_agent.recordings.media_writer import RecordedPacket
from vision_agent.recordings.recorded_call import RecordedCall

ROOT = Path(__file__).parents[2]


def opened(folder: Path) -> RecordedCall:
    (found,) = folder.iterdir()
    return RecordedCall.open(found)


def streams(path: Path) -> list[tuple[str, str, list[float], int]]:
    """Each track's title, codec, packet times, and number of decoded frames."""
    found = []
    with av.open(str(path)) as media:
        for n in range(len(media.streams)):
            with av.open(str(path)) as again:
                stream = again.streams[n]
                packets = [p for p in again.demux(stream) if p.pts is not None]
                times = [float(packet.pts * packet.time_base) for packet in packets]
                decoded = sum(len(packet.decode()) for packet in packets)
                codec = stream.codec_context.name
                found.append((stream.metadata["title"], codec, times, decoded))
    return found


async def test_tracks_that_begin_in_the_middle_and_other_codecs_are_in_the_one_file(tmp_path):
    sent = Sent(tmp_path)
    vp8, h264 = encoded("libvpx", 320, 240, 60), encoded("libx264", 640, 360, 30)
    sent.sound("agent", 0.0, 4.0)
    sent.video("camera", 0.05, "VP8", vp8, (320, 240))
    await asyncio.sleep(0.6)  # the first packets are written meanwhile
    sent.video("screen", 2.0, "H264", h264, (640, 360))
    sent.sound("caller", 1.0, codec="PCMU")
    # The same camera with another codec, as after a reconnection from another network.
    sent.video("camera", 3.0, "H264", h264, (640, 360))
    sent.recording.end("over")
    await sent.recording.close()
    call = opened(tmp_path)
    found = streams(call.media)
    assert [
        (title, codec, round(times[0], 2), decoded) for title, codec, times, decoded in found
    ] == [
        ("camera", "vp8", 0.05, 60),
        ("camera", "h264", 3.0, 30),
        ("screen", "h264", 2.0, 30),
        ("caller", "pcm_mulaw", 1.0, 50),
        ("agent", "opus", 0.0, 200),
    ]
    assert all(b > a for _, _, times, _ in found for a, b in pairwise(times))
    with av.open(str(call.media)) as media:
        assert media.duration / 1e6 == pytest.approx(4.0, abs=0.1)
        assert (media.streams[1].codec_context.height, media.streams[2].codec_context.width) == (
            360,
            640,
        )
        media.seek(3_200_000)  # the index leads to the previous key frame
        packet = next(media.demux(media.streams[1]))
        assert float(packet.pts * packet.time_base) == pytest.approx(3.0, abs=0.01)
    assert (tmp_path / call.folder / "transcript.vtt").read_text().startswith("WEBVTT\n\n")


def test_a_killed_recording_plays_until_a_moment_before(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.recordings.recording_here", str(tmp_path), "60"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        for _ in range(4):
            process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    call = opened(tmp_path)
    with av.open(str(call.media)) as media:
        lasts_s = media.duration / 1e6
    for _, _, times, decoded in streams(call.media):
        # The packets of each second were sent at its beginning, the fourth's 1 s before the kill.
        assert times[-1] > 2.9
        assert times[-1] == pytest.approx(lasts_s, abs=0.1)
        assert decoded == len(times)
    assert call.lines[-1].at_ms >= 2_000
    assert not [line for line in call.lines if isinstance(line, EndedLine)]


def test_a_full_disk_ends_the_recording_with_a_word_and_leaves_what_plays(tmp_path):
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("Only root can mount a small disk.")
    # The disk is mounted in a mount namespace; its content is copied out of it.
    script = (
        'mount -t tmpfs -o size=80k tmpfs "$1" && '
        '"$2" -m tests.recordings.recording_here "$1" 60 && cp -r "$1"/* "$3" && '
        # A recording without room for its header leaves nothing.
        'cat /dev/zero > "$1/filler"; '
        '"$2" -m tests.recordings.recording_here "$1" 3 && rm "$1/filler" && cp -r "$1"/* "$3"'
    )
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    copy.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(disk), sys.executable, str(copy)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    ended = [line for line in done.stdout.splitlines() if not line.isdecimal()]
    assert ended == ["disk_full: the disk is full"] * 2, done.stderr
    call = opened(copy)
    assert call.unread == 0
    assert call.lines[-1].text == "The recording ended before the call: the disk is full."
    for _, _, times, decoded in streams(call.media):
        assert times[-1] > 1.0
        assert decoded == len(times)


async def test_lines_captions_and_pictures_keep_their_time_beside_what_was_said_before(tmp_path):
    sent = Sent(tmp_path, with_set_up=True)
    recording = sent.recording
    recording.sounds("user", True)
    recording.line(SpokenLine(at_ms=0, who="user", text="Hello --> 00:00:09.999"))
    recording.message("received", '{"at_ms": 5}')
    for n in range(150):  # a second and a half that arrives at once, and then the rest in time
        at_s = max(0.0, n / 50 - 1.5)
        packet = RecordedPacket("caller", 1, "opus", 48_000, 960 * n, at_s, OPUS)
        recording.media(packet)
    sent.sound("agent", 0.5)
    recording.end("over")
    await recording.close()
    call = opened(tmp_path)
    assert [type(line) for line in call.lines] == [HeaderLine, SpokenLine, ReceivedLine, EndedLine]
    assert call.lines[1].at_ms == 1_500
    assert 1_500 <= call.lines[2].at_ms < call.lines[3].at_ms + 1
    assert call.lines[2].message == {"at_ms": 5}
    caller, agent = streams(call.media)
    assert caller[2][::149] == pytest.approx([0.0, 2.98], abs=0.005)
    assert agent[2][0] == pytest.approx(2.0, abs=0.005)
    captions = (call.folder / "transcript.vtt").read_text()
    assert captions.startswith("WEBVTT\n\n00:00:01.5")
    assert "Hello --&gt; 00:00:09.999" in captions
    with av.open(str(call.media)) as media:
        began = datetime.fromisoformat(media.metadata["creation_time"])
    assert abs(began - datetime.fromisoformat(call.header.started)) < timedelta(milliseconds=2)
    assert timedelta(seconds=1.5) < datetime.now(UTC) - began < timedelta(seconds=30)


async def test_a_recording_ends_at_its_limits_and_is_whole(tmp_path):
    for limits, kind, words in (
        ({"max_s": 1.0}, "limit", "a recording lasts 0.0167 minutes at most"),
        ({"max_bytes": 9_000}, "limit", "a recording has 0 MB at most"),
        ({"min_free_bytes": 10**18}, "disk_full", "the disk is nearly full"),
    ):
        folder = tmp_path / next(iter(limits))
        folder.mkdir()
        sent = Sent(folder, **limits)
        sent.sound("agent", 0.0)
        await sent.recording.close()
        assert sent.said[-1] == (kind, words)
        if kind == "limit":
            call = opened(folder)
            assert len(streams(call.media)[0][2]) == 50
            assert isinstance(call.lines[-1], NoticeLine)
        else:
            assert not list(folder.iterdir())
        sent.sound("agent", 1.0)  # later packets are ignored


async def test_a_client_that_sends_messages_without_end_ends_the_recording_while_it_can_be_read(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(call_files, "MAX_LINES_BYTES", 2_000_000)
    sent = Sent(tmp_path)
    for _ in range(30):
        sent.recording.message("received", json.dumps({"type": "x" * 70_000}))
    await until(lambda: len(sent.said) > 1)
    await sent.recording.close()
    assert sent.said[-1] == ("limit", "a recording has 2 MB of messages at most")
    sent.recording.message("received", "{}")
    assert len(opened(tmp_path).lines) > 30


async def test_a_folder_that_can_not_be_written_is_told(tmp_path):
    sent = Sent(tmp_path / "gone", min_free_bytes=0)
    await sent.recording.close()
    assert sent.said == [("disk", "it can't be written: No such file or directory")]


async def test_what_a_slow_disk_does_not_take_is_dropped_and_counted_and_lines_are_not(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(call_recording, "MAX_WAITING_BYTES", 3_000)
    sent = Sent(tmp_path)
    recording = sent.recording
    sent.sound("agent", 0.0, 20.0, codec="PCMU")
    recording.frame("camera", b"\xff\xd8" + bytes(4_000), 64, 48)
    recording.line(SpokenLine(at_ms=0, who="user", text="still here"))
    assert recording.dropped == 1000 - 3_000 // 160 + 1
    recording.end("over")
    await recording.close()
    call = opened(tmp_path)
    assert [line.text for line in call.lines if isinstance(line, SpokenLine)] == ["still here"]
    assert "983 packets were dropped" in call.lines[-1].text
    assert not [line for line in call.lines if isinstance(line, FrameLine) and line.file]


async def test_two_recordings_of_one_name_and_odd_ids(tmp_path):
    first, second = Sent(tmp_path), Sent(tmp_path)
    await until(lambda: first.said and second.said)
    for sent in (first, second):
        sent.recording.end("over")
        await sent.recording.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    assert names[0][20:] == "-01234567"
