from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.media_files import make_image, make_video
from tests.support.signals import tone
from vision_agent.caller.recording import (
    MAX_FRAME_PX,
    SOUND_RATE_HZ,
    BadRecording,
    Recording,
    read_sound,
    resample,
    samples_of,
    sound_frame,
)

pytestmark = pytest.mark.usefixtures("every_frame")


def test_a_silent_video_has_frames_and_no_sound(bottle: Path) -> None:
    recording = Recording.open(bottle)
    assert (recording.has_video, recording.has_sound, recording.still) == (True, False, False)
    assert recording.duration_s == pytest.approx(39.85, abs=0.05)
    assert recording.fps == pytest.approx(29.83, abs=0.01)
    assert recording.sound().size == 0


def test_frames_come_with_the_times_they_were_recorded_at(bottle: Path) -> None:
    frames = list(islice(Recording.open(bottle).frames(), 31))
    assert frames[0].at_s == 0
    assert frames[30].at_s == pytest.approx(30 / 29.83, abs=0.01)
    first = frames[0].frame
    assert (first.format.name, first.width, first.height) == ("yuv420p", 640, 360)


def test_a_video_starts_over_after_its_last_frame(tmp_path: Path) -> None:
    video = make_video(tmp_path / "short.mkv", fps=10, count=5, size=(64, 48))
    frames = list(islice(Recording.open(video).frames(), 12))
    assert [round(p.at_s, 2) for p in frames] == [round(n / 10, 2) for n in range(12)]
    lumas = [int(np.frombuffer(p.frame.planes[0], np.uint8)[0]) for p in frames]
    assert lumas[5:10] == pytest.approx(lumas[:5], abs=2)
    assert lumas[4] > lumas[0] + 4


def test_a_fast_recording_is_thinned_to_thirty_frames_a_second(tmp_path: Path) -> None:
    video = make_video(tmp_path / "fast.mkv", fps=60, count=60, size=(64, 48))
    frames = list(islice(Recording.open(video).frames(), 30))
    assert frames[-1].at_s == pytest.approx(29 / 30, abs=0.02)


def test_a_huge_frame_is_brought_to_a_webcams_size(tmp_path: Path) -> None:
    video = make_video(tmp_path / "huge.mkv", fps=5, count=2, size=(1924, 1080))
    frame = next(Recording.open(video).frames()).frame
    assert frame.width == MAX_FRAME_PX
    assert frame.height == pytest.approx(MAX_FRAME_PX * 1080 / 1924, abs=2)
    assert frame.height % 2 == 0


def test_a_still_image_is_held_and_made_even(tmp_path: Path) -> None:
    recording = Recording.open(make_image(tmp_path / "red.png"))
    assert (recording.still, recording.has_sound, recording.duration_s) == (True, False, 0)
    frame = next(recording.frames()).frame
    assert (frame.width, frame.height, frame.format.name) == (32, 20, "yuv420p")


def test_an_audio_file_has_sound_and_no_frames(jfk: Path) -> None:
    recording = Recording.open(jfk)
    assert (recording.has_video, recording.has_sound) == (False, True)
    sound = recording.sound()
    assert sound.dtype == np.int16
    assert len(sound) == pytest.approx(11 * SOUND_RATE_HZ, abs=SOUND_RATE_HZ // 50)
    assert np.abs(sound).max() > 5000


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 44_100])
def test_spoken_pcm_of_any_rate_keeps_its_length_and_pitch(rate_hz: int) -> None:
    pcm = tone(1000, hz=400, rate_hz=rate_hz).tobytes()
    sound = resample(pcm, rate_hz)
    assert len(sound) == pytest.approx(SOUND_RATE_HZ, abs=50)
    crossings = int((np.diff(np.signbit(sound)) != 0).sum())
    assert crossings == pytest.approx(800, abs=4)


def test_half_a_sample_of_pcm_is_refused() -> None:
    with pytest.raises(ValueError, match="whole 16-bit samples"):
        resample(b"\0\0\0", 16_000)


@pytest.mark.parametrize("content", [b"", b"hello, I am text\n" * 50, bytes(range(256)) * 40])
def test_a_file_that_is_no_recording_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "not-a-recording.mp4"
    file.write_bytes(content)
    with pytest.raises(BadRecording, match=r"not-a-recording\.mp4"):
        Recording.open(file)


def test_a_text_file_is_not_painted_as_a_frame(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Dear diary,\n" * 100)
    with pytest.raises(BadRecording, match=r"notes\.txt"):
        Recording.open(file)


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="There is no file"):
        Recording.open(tmp_path / "nothing.mp4")
    with pytest.raises(BadRecording, match="is not a file"):
        Recording.open(tmp_path)


def test_a_video_without_its_index_is_refused_as_damaged(tmp_path: Path, bottle: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(bottle.read_bytes()[:4_000])
    with pytest.raises(BadRecording, match="damaged"):
        Recording.open(cut)


def test_a_recording_damaged_in_the_middle_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    video = make_video(tmp_path / "whole.mkv", fps=10, count=20, size=(320, 240))
    content = bytearray(video.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(content)
    frames = list(islice(Recording.open(damaged).frames(), 40))
    assert len(frames) == 40
    assert all(b.at_s > a.at_s for a, b in pairwise(frames))


def make_sound(path: Path, rate_hz: int, codec: str = "aac", layout: str = "mono") -> Path:
    """Write a second of a tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        resampler = av.AudioResampler(stream.format.name, layout, rate_hz, stream.frame_size)
        samples = tone(1000, rate_hz=rate_hz)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        for piece in (*resampler.resample(frame), None):
            container.mux(stream.encode(piece))
    return path


def with_sound(path: Path) -> Path:
    """Write a video of a second, with a tone."""
    video, sound = path.with_suffix(".v.mkv"), path.with_suffix(".a.mka")
    make_video(video, fps=10, count=10, size=(64, 48))
    make_sound(sound, 48_000, "flac")
    with av.open(str(path), "w") as both, av.open(str(video)) as v, av.open(str(sound)) as a:
        inputs = [(each, both.add_stream_from_template(each.streams[0])) for each in (v, a)]
        for container, stream in inputs:
            for packet in container.demux(container.streams[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    both.mux(packet)
    return path


def unknown(file: Path, codec: bytes) -> Path:
    """A copy of the file that names an unknown codec."""
    content = file.read_bytes()
    assert codec in content
    odd = file.with_stem(f"{file.stem}-odd")
    odd.write_bytes(content.replace(codec, codec[:2] + b"X" * (len(codec) - 2)))
    return odd


@pytest.mark.parametrize(("first", "second"), [((44_100, "mono"), (22_050, "stereo"))])
def test_a_sound_whose_format_changes_on_the_way_is_read_to_its_end(
    tmp_path: Path, first: tuple[int, str], second: tuple[int, str]
) -> None:
    pieces = [
        make_sound(tmp_path / f"{n}.aac", rate, layout=layout).read_bytes()
        for n, (rate, layout) in enumerate((first, second, first))
    ]
    file = tmp_path / "changing.aac"
    file.write_bytes(b"".join(pieces))
    assert len(read_sound(file)) == pytest.approx(3 * SOUND_RATE_HZ, rel=0.1)


def test_a_sound_in_a_codec_that_nobody_knows_is_refused_in_words(tmp_path: Path) -> None:
    odd = unknown(make_sound(tmp_path / "s.mka", 48_000, "flac"), b"A_FLAC")
    with pytest.raises(BadRecording, match="can't be decoded here"):
        Recording.open(odd)
    with pytest.raises(BadRecording, match="can't be decoded here"):
        read_sound(odd)


def test_a_video_whose_sound_nobody_can_decode_is_shown(tmp_path: Path) -> None:
    recording = Recording.open(unknown(with_sound(tmp_path / "v.mkv"), b"A_FLAC"))
    assert (recording.has_video, recording.has_sound) == (True, False)
    assert len(list(islice(recording.frames(), 5))) == 5


def test_a_video_whose_frames_nobody_can_decode_is_refused_in_words(tmp_path: Path) -> None:
    odd = unknown(with_sound(tmp_path / "v.mkv"), b"V_MPEG4/ISO/ASP")
    with pytest.raises(BadRecording, match=r"picture of .* can't be decoded here"):
        Recording.open(odd)
    assert len(read_sound(odd)) == pytest.approx(SOUND_RATE_HZ, rel=0.1)


def test_a_video_asked_for_its_sound_says_that_it_has_none(bottle: Path) -> None:
    with pytest.raises(BadRecording, match="no sound"):
        read_sound(bottle)


def test_a_portrait_video_of_a_phone_is_turned_upright(tmp_path: Path) -> None:
    lying = make_video(tmp_path / "lying.mp4", fps=10, count=3, size=(64, 32))
    content = lying.read_bytes()
    # The rotation is the 3x3 matrix of the track header: 16.16 fixed point, its last column 2.30.
    straight = b"".join(n.to_bytes(4, "big") for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    quarter = b"".join(
        (n & 0xFFFFFFFF).to_bytes(4, "big")
        for n in (0, 65536, 0, -65536, 0, 0, 32 << 16, 0, 1 << 30)
    )
    header = content.index(b"tkhd")
    at = content.index(straight, header)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(content[:at] + quarter + content[at + len(straight) :])
    frame = next(Recording.open(turned).frames()).frame
    assert (frame.width, frame.height) == (32, 64)


def test_a_frame_of_sound_has_its_samples_and_its_time() -> None:
    frame = sound_frame(tone(20), 96_000)
    assert np.array_equal(samples_of(frame), tone(20))
    assert (frame.samples, frame.sample_rate, frame.time) == (960, SOUND_RATE_HZ, 2.0)
    assert (frame.format.name, frame.layout.name) == ("s16", "mono")
