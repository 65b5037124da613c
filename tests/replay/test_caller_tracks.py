"""The tracks of a recorded call: which are shown, when they are on, and which frames follow."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tests.recordings.recording_here import Sent
from tests.support.encoding import encoded
from tests.support.recorded_call import recorded_call, switched, typed
from tests.support.source_steps import done
from vision_agent.caller.cut import WHOLE, Cut
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.recordings.lines import EndedLine
from vision_agent.recordings.recorded_call import RecordedCall
from vision_agent.replay.caller_source import open_source
from vision_agent.replay.recorded_copy import copy_part

pytestmark = pytest.mark.usefixtures("every_frame")

RED, BLUE = (220, 30, 30), (30, 30, 220)


async def test_tracks_of_one_title_are_one_caller_whose_codecs_changed(tmp_path: Path) -> None:
    sent = Sent(tmp_path)
    once = 10_000  # frames from a key frame to the next
    camera = encoded("libvpx", 320, 240, 30, once)
    for at_s, codec, frames in (
        (0.0, "VP8", camera),
        (1.0, "H264", encoded("libx264", 320, 240, 30, once)),
        (2.0, "VP8", camera),
    ):
        sent.video("camera", at_s, codec, frames, (320, 240))
    sent.video("screen", 0.5, "H264", encoded("libx264", 320, 240, 75, once), (320, 240))
    sent.sound("caller", 0.0)
    sent.sound("caller", 1.0, codec="PCMU")
    sent.recording.end("over")
    await sent.recording.close()
    (folder,) = tmp_path.iterdir()
    camera_times = [
        round(each.at_s, 1)
        for each in islice(open_source(folder, WHOLE).shown["camera"].frames(), 90)
    ]
    assert camera_times == pytest.approx([n / 30 for n in range(90)], abs=0.06)
    assert len(read_sound(folder / "call.mkv", Cut(title="caller"))) > 1.8 * SOUND_RATE_HZ
    # The first frame of a cut was encoded after a different key frame in each track.
    for at_s in (1.5, 2.5):
        for recording in open_source(folder, Cut(at_s)).shown.values():
            first = next(recording.frames())
            assert first.at_s == pytest.approx(0, abs=0.04)
    copy = tmp_path / "copy"
    # A key frame of an earlier codec is no start: here the screen's key frame is the earliest.
    assert copy_part(RecordedCall.open(folder), Cut(2.5), copy) == pytest.approx(0.5, abs=0.01)
    assert len(read_sound(copy / "call.mkv", Cut(title="caller"))) > 1.3 * SOUND_RATE_HZ
    assert next(open_source(copy, Cut(2)).shown["camera"].frames()).at_s < 0.04


def test_a_video_that_begins_later_is_switched_on_then(tmp_path: Path) -> None:
    folder = recorded_call(
        tmp_path / "call", typed(4600, "x"), camera={600: RED}, screen={4000: BLUE}, length_ms=5000
    )
    source = open_source(folder, WHOLE)
    # The camera's first frame came after 600 ms, while the call connected: it was on at first.
    assert done(source) == [(4000, ("screen", True)), (4600, "x")]
    assert source.off == {"screen"}
    assert open_source(folder, Cut(4.2)).off == set()


def test_a_video_that_ended_without_a_word_is_switched_off_then(tmp_path: Path) -> None:
    # A client may stop its track without a message, and the call continues without the video.
    said = typed(9000, "x"), EndedLine(at_ms=12_000, reason="over")
    folder = recorded_call(tmp_path / "call", *said, camera={0: RED}, length_ms=5000, resumed=True)
    source = open_source(folder, WHOLE)
    assert done(source) == [(4750, ("camera", False)), (9000, "x")]
    (note,) = source.notes
    assert "continued an earlier conversation" in note
    late = open_source(folder, Cut(11))
    assert (done(late), late.off) == ([(0, "1.0 s")], {"camera"})
    # A camera that the caller switched off is switched off once, at that time.
    switched_off = switched(5000, "camera", False)
    folder = recorded_call(tmp_path / "off", switched_off, *said, camera={0: RED}, length_ms=5000)
    assert done(open_source(folder, WHOLE)) == [(5000, ("camera", False)), (9000, "x")]
    assert done(open_source(folder, Cut(1, 9.1)))[0] == (4000, ("camera", False))
