"""Turned, mirrored and anamorphic frames are shown as they are meant to be seen."""

import struct
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.media_files import make_image, write_frames
from vision_agent.caller.recording import Recording

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (235, 235, 235)
NAMES = {RED: "R", GREEN: "G", BLUE: "B", WHITE: "W"}


def corners(width: int = 128, height: int = 64) -> np.ndarray:
    """Red and green above, blue and white below."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2], rgb[: height // 2, width // 2 :] = RED, GREEN
    rgb[height // 2 :, : width // 2], rgb[height // 2 :, width // 2 :] = BLUE, WHITE
    return rgb


def seen(path: Path) -> tuple[str, tuple[int, int]]:
    """The corners from left to right, above and below, and the size."""
    frame = next(Recording.open(path).frames()).frame
    rgb = frame.to_ndarray(format="rgb24").astype(int)
    found = ""
    for y in (0.25, 0.75):
        for x in (0.25, 0.75):
            colour = rgb[int(y * frame.height), int(x * frame.width)]
            found += min(NAMES.items(), key=lambda n: np.abs(colour - n[0]).sum())[1]
    return found, (frame.width, frame.height)


# EXIF orientations, as TIFF 6.0 has them: where the stored first row and first column are shown.
ORIENTATIONS = {
    1: ("RGBW", (128, 64)),  # above, left
    2: ("GRWB", (128, 64)),  # above, right
    3: ("WBGR", (128, 64)),  # below, right
    4: ("BWRG", (128, 64)),  # below, left
    5: ("RBGW", (64, 128)),  # left, above
    6: ("BRWG", (64, 128)),  # right, above
    7: ("WGBR", (64, 128)),  # right, below
    8: ("GWRB", (64, 128)),  # left, below
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_photo_is_turned_and_mirrored_as_its_exif_orientation_says(
    tmp_path: Path, orientation: int
) -> None:
    jpeg = write_frames(tmp_path / "photo.jpg", [corners()]).read_bytes()
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    photo = tmp_path / "exif.jpg"
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    photo.write_bytes(jpeg[:2] + segment + jpeg[2:])
    assert seen(photo) == ORIENTATIONS[orientation]


def with_matrix(source: Path, target: Path, matrix: list[int]) -> Path:
    """The same MP4 with another matrix (a, b, c, d) in its track header."""
    straight = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    a, b, c, d = (65536 * n for n in matrix)
    content = source.read_bytes()
    at = content.index(straight, content.index(b"tkhd"))
    turned = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(content[:at] + turned + content[at + len(turned) :])
    return target


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ([-1, 0, 0, 1], ORIENTATIONS[2]),
        ([-1, 0, 0, -1], ORIENTATIONS[3]),
        ([1, 0, 0, -1], ORIENTATIONS[4]),
        ([0, 1, 1, 0], ORIENTATIONS[5]),
        ([0, 1, -1, 0], ORIENTATIONS[6]),
        ([0, -1, 1, 0], ORIENTATIONS[8]),
    ],
)
def test_a_video_is_turned_and_mirrored_as_its_display_matrix_says(
    tmp_path: Path, matrix: list[int], shown: tuple[str, tuple[int, int]]
) -> None:
    lying = write_frames(tmp_path / "lying.mp4", [corners()] * 3, fps=10)
    assert seen(with_matrix(lying, tmp_path / "turned.mp4", matrix)) == shown


@pytest.mark.parametrize(
    ("aspect", "size"), [("2/1", (256, 64)), ("1/2", (128, 128)), ("64/45", (182, 64))]
)
def test_anamorphic_frames_get_square_pixels(
    tmp_path: Path, aspect: str, size: tuple[int, int]
) -> None:
    squeezed = tmp_path / "squeezed.mkv"
    with av.open(str(squeezed), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        for n in range(3):
            frame = av.VideoFrame.from_ndarray(corners(), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert seen(squeezed) == ("RGBW", size)


def test_a_frame_wider_than_a_webcams_keeps_its_shape(tmp_path: Path) -> None:
    frames = list(islice(Recording.open(make_image(tmp_path / "wide.png", (3000, 20))).frames(), 1))
    assert (frames[0].frame.width, frames[0].frame.height) == (1280, 8)
