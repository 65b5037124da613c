"""Frames in which nothing can be seen are recognised, with the reason."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.local.engine.sight.sight_frames import (
    Pixels,
    filled,
    film,
    noise,
    patch,
    shot,
    written,
)
from vision_agent.local.engine.sight.observations import Quality
from vision_agent.local.engine.sight.quality import judge

GOOD = Quality()


@pytest.fixture(scope="module")
def scenes() -> dict[str, Pixels]:
    first, second = film([1.0, 20.5])
    return {
        "three bottles": first,
        "one bottle": second,
        "a page": written(["The quick brown fox", "jumps over the lazy dog"], 24),
        "a red thing": patch((200, 30, 30), (225, 225, 225)),
        "a black thing": patch((20, 20, 20), (225, 225, 225)),
        "a white page": written(["small print"], 20, paper=(255, 255, 255)),
    }


def test_good_frames_are_good(scenes: dict[str, Pixels]) -> None:
    assert {name: judge(shot(scene)) for name, scene in scenes.items()} == dict.fromkeys(
        scenes, GOOD
    )


@pytest.mark.parametrize("noise_levels", [0, 6])
def test_blurred_frames_are_blurred_however_noisy_the_camera_is(
    scenes: dict[str, Pixels], noise_levels: float
) -> None:
    judged = {
        name: judge(shot(scene, blur_px=5, noise=noise_levels)).blurred
        for name, scene in scenes.items()
    }
    assert judged == dict.fromkeys(scenes, True)


def test_dark_frames_are_too_dark(scenes: dict[str, Pixels]) -> None:
    judged = {name: judge(shot(scene, exposure=0.1)) for name, scene in scenes.items()}

    assert all(quality.too_dark and not quality.too_bright for quality in judged.values())


def test_washed_out_frames_are_too_bright(scenes: dict[str, Pixels]) -> None:
    for name in ("three bottles", "one bottle", "a red thing"):
        light = scenes[name].astype(np.float64) * 2.5 + 120
        quality = judge(shot(np.clip(light, 0, 255).astype(np.uint8)))
        assert quality.too_bright, name
        assert not quality.too_dark, name


@pytest.mark.parametrize("level", [8, 60, 128, 235])
def test_an_even_area_is_empty_and_not_called_blurred(level: int) -> None:
    wall = filled((level, level, level)).astype(np.float64)
    wall *= np.linspace(0.85, 1.15, wall.shape[1])[None, :, None]
    quality = judge(shot(np.clip(wall, 0, 255).astype(np.uint8), noise=4))

    assert quality.empty
    assert not quality.blurred


def test_a_thing_of_the_same_lightness_but_another_colour_is_not_nothing() -> None:
    wall, thing = (128, 128, 128), (175, 105, 120)
    lightness = [
        cv2.cvtColor(np.array([[rgb]], np.uint8), cv2.COLOR_RGB2GRAY)[0, 0] for rgb in (wall, thing)
    ]
    assert abs(int(lightness[0]) - int(lightness[1])) < 5

    assert not judge(shot(patch(thing, wall))).empty


def test_noise_is_neither_dark_nor_bright_nor_blurred() -> None:
    quality = judge(noise())

    assert quality == Quality(empty=quality.empty)
