"""Common media files are read correctly, or refused in a sentence."""

import random
import wave
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.media_files import make_image, make_video
from tests.support.signals import tone
from vision_agent.caller.recording import SOUND_RATE_HZ, BadRecording, Recording, read_sound

pytestmark = pytest.mark.usefixtures("every_frame")


def make_film(
    path: Path, *, sound_at_s: float = 0.0, video_at_s: float = 0.0, hole_s: float = 0.0
) -> Path:
    """Write a second of video and a second of a tone, each with its own first timestamp.

    Args:
        hole_s: A gap in the tone's timestamps, after its first half.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        packets = []
        for n in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * n, np.uint8), "rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = n + round(10 * video_at_s), Fraction(1, 10)
            packets += video.encode(frame)
        packets += video.encode(None)
        samples = tone(1000, rate_hz=48_000)
        for n, at in enumerate(range(0, len(samples) - 1023, 1024)):
            late_s = sound_at_s + (hole_s if n >= 23 else 0)
            piece = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], "s16", "mono")
            piece = piece if sound.format.name == "s16" else _as(piece, sound.format.name)
            piece.sample_rate, piece.pts = 48_000, at + round(late_s * 48_000)
            piece.time_base = Fraction(1, 48_000)
            packets += sound.encode(piece)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)
    return path


def _as(piece: av.AudioFrame, format: str) -> av.AudioFrame:
    samples = piece.to_ndarray().astype(np.float32) / 32_768
    return av.AudioFrame.from_ndarray(samples, format, "mono")


def loud_s(sound: np.ndarray) -> list[tuple[float, float]]:
    """The begin and end of each tone, in seconds."""
    blocks = np.abs(sound[: len(sound) // 480 * 480].reshape(-1, 480).astype(int)).max(axis=1)
    edges = np.flatnonzero(np.diff(np.r_[0, blocks > 1000, 0]))
    return [(a / 100, b / 100) for a, b in edges.reshape(-1, 2)]


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4", "film.mov", "film.ts"])
def test_a_sound_that_begins_late_starts_late(tmp_path: Path, name: str) -> None:
    film = make_film(tmp_path / name, sound_at_s=1.5)
    [(begin_s, end_s)] = loud_s(Recording.open(film).sound())
    assert begin_s == pytest.approx(1.5, abs=0.06)
    assert end_s - begin_s == pytest.approx(1, abs=0.06)
    assert next(Recording.open(film).frames()).at_s == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_a_video_that_begins_late_starts_late(tmp_path: Path, name: str) -> None:
    film = make_film(tmp_path / name, video_at_s=2)
    frames = list(islice(Recording.open(film).frames(), 11))
    assert [frame.at_s for frame in frames[:2]] == pytest.approx([2, 2.1], abs=0.06)
    assert loud_s(Recording.open(film).sound())[0][0] == pytest.approx(0, abs=0.06)
    assert frames[10].at_s > frames[9].at_s  # from the beginning again


def test_a_hole_in_the_sound_is_silent(tmp_path: Path) -> None:
    film = make_film(tmp_path / "hole.mkv", hole_s=0.7)
    first, second = loud_s(Recording.open(film).sound())
    assert second[0] - first[1] == pytest.approx(0.7, abs=0.06)


def make_wav(path: Path, seconds: float = 1.0) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(tone(1000, rate_hz=16_000).tobytes()[: round(32_000 * seconds)])
    return path


@pytest.mark.parametrize(("tags", "padding", "footer"), [([100], 0, 0), ([20_000, 30], 5, 0x10)])
def test_a_wav_behind_id3_tags_is_read(
    tmp_path: Path, tags: list[int], padding: int, footer: int
) -> None:
    content = b""
    for size in tags:
        header = b"ID3\4\0" + bytes([footer, *((size >> shift) & 0x7F for shift in (21, 14, 7, 0))])
        content += header + bytes(size) + (b"3DI" + header[3:] if footer else b"")
    wav = make_wav(tmp_path / "plain.wav").read_bytes()
    tagged = tmp_path / "tagged: 100%,,.wav"
    tagged.write_bytes(content + bytes(padding) + wav)
    assert len(read_sound(tagged)) == SOUND_RATE_HZ
    tagged.write_bytes(content)
    with pytest.raises(BadRecording):
        read_sound(tagged)


def test_a_recording_without_a_single_frame_or_sample_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=r"No sound of .* damaged"):
        Recording.open(make_wav(tmp_path / "nothing.wav", seconds=0))
    with pytest.raises(BadRecording, match="no picture"):
        next(Recording.open(make_wav(tmp_path / "sound.wav")).frames())


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "wav", "jpg", "png"])
def test_a_damaged_file_is_read_as_far_as_it_goes_or_refused_in_words(
    tmp_path: Path, kind: str
) -> None:
    whole = tmp_path / f"whole.{kind}"
    match kind:
        case "wav":
            make_wav(whole)
        case "jpg" | "png":
            make_image(whole, (64, 48))
        case _:
            make_film(whole)
    content, dice = whole.read_bytes(), random.Random(7)
    damaged = tmp_path / f"damaged.{kind}"
    read = 0
    for _ in range(40):
        broken = bytearray(content)
        for _ in range(dice.randint(1, 12)):
            # The beginning holds the headers.
            at = dice.randrange(min(len(broken), dice.choice([64, 1000, 10**9])))
            broken[at] = dice.randrange(256)
        damaged.write_bytes(broken[: dice.choice([len(broken), dice.randrange(len(broken))])])
        sentence = "."
        try:
            recording = Recording.open(damaged)
            read += 1
            recording.sound()
            if recording.has_video:
                list(islice(recording.frames(), 15))
        except BadRecording as refused:
            sentence = str(refused)
        assert sentence.endswith(".")
        assert "\n" not in sentence
    assert read


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_wav(tmp_path / "data:sound.wav")
    assert len(read_sound(Path("data:sound.wav"))) == SOUND_RATE_HZ
    make_video(tmp_path / "lava.mkv", fps=5, count=2, size=(64, 48))
    assert Recording.open(Path("lava.mkv")).has_video
