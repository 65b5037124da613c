"""Faces are found where they are, and nowhere else.

The faces here are drawn: they show that the detector runs as it should, not how well it does on
people, which was measured elsewhere (see ``face_detector.py``).
"""

from __future__ import annotations

import pytest

from tests.local.engine.sight.sight_frames import (
    Pixels,
    filled,
    film,
    noise,
    patch,
    shot,
    with_faces,
    written,
)
from vision_agent.detection.face_detector import FaceDetector
from vision_agent.local.engine.sight import look
from vision_agent.local.engine.sight.places import spot


@pytest.fixture(scope="module")
def faces() -> FaceDetector:
    return look.FaceDetector()  # shared


def places(faces: FaceDetector, pixels: Pixels) -> list[str]:
    return [spot(box) for box in faces.boxes(pixels)]


@pytest.mark.parametrize("scale", [0.6, 0.8, 1.0, 1.3])
def test_one_face_is_found_at_any_size(faces: FaceDetector, scale: float) -> None:
    pixels = shot(with_faces(320, scale=scale), blur_px=2)

    assert places(faces, pixels) == ["in the middle"]


def test_faces_are_told_from_left_to_right(faces: FaceDetector) -> None:
    pixels = shot(with_faces(530, 110, 320, scale=0.6), blur_px=1.5)

    assert places(faces, pixels) == ["on the left", "in the middle", "on the right"]


def test_no_face_is_seen_in_bottles(faces: FaceDetector) -> None:
    frames = film(range(1, 39, 5))

    assert [faces.boxes(frame) for frame in frames] == [()] * len(frames)


def test_no_face_is_seen_in_noise_text_things_or_nothing(faces: FaceDetector) -> None:
    frames = [noise(seed) for seed in range(3)]
    frames += [shot(filled((level, level, level))) for level in (10, 128, 245)]
    frames += [
        shot(written(["o o", "EXIT 8", "(o_o)"], 36)),
        shot(patch((200, 150, 120), (90,) * 3)),
    ]

    assert [faces.boxes(pixels) for pixels in frames] == [()] * len(frames)
