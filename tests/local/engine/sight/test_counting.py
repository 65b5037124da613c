"""Counts of similar things: on a film, on drawn scenes, and where nothing can be counted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.local.engine.sight.sight_frames import bgr, filled, film, noise, shot
from tests.local.engine.sight.sight_scenes import BOTTLES, several, wall
from vision_agent.local.engine.sight.counting import count
from vision_agent.local.engine.sight.foreground import View


def test_the_bottles_of_the_film_are_counted_or_it_is_unsure() -> None:
    wanted = [
        (start + step, number)
        for start, end, number in BOTTLES
        for step in np.arange(0.0, end - start + 0.1, 1.0).tolist()
    ]
    frames = film([at_s for at_s, _ in wanted])
    sure = wrong = 0
    for pixels, (_, number) in zip(frames, wanted, strict=True):
        found = count(View.of(pixels))
        sure += found.sure == number and not found.perhaps
        wrong += found.sure != number and not found.perhaps
    assert wrong == 0
    assert sure >= 0.85 * len(wanted)


def test_a_bottle_in_a_hand_is_counted_as_perhaps() -> None:
    held, gone = film([24.0, 20.0])
    assert (count(View.of(held)).sure, count(View.of(held)).perhaps) == (1, 1)
    assert (count(View.of(gone)).sure, count(View.of(gone)).perhaps) == (1, 0)


@pytest.mark.parametrize("number", range(1, 10))
def test_like_things_on_a_plain_ground_are_counted(number: int) -> None:
    for seed in (number, number + 20):
        found = count(View.of(several(number, seed)))
        assert (found.sure, found.perhaps) == (number, 0)
        assert len(found.boxes) == number


def test_things_of_another_kind_are_counted_apart() -> None:
    pixels = wall()
    for x in (100, 250, 400):
        cv2.circle(pixels, (x, 200), 40, bgr((200, 30, 30)), -1)
    cv2.rectangle(pixels, (470, 280), (600, 420), bgr((40, 70, 180)), -1)
    found = count(View.of(shot(pixels)))
    assert (found.sure, found.perhaps, found.colour, found.others) == (3, 0, "red", 1)


def test_nothing_is_counted_where_there_is_nothing_or_too_much() -> None:
    assert count(View.of(shot(filled((190, 190, 185))))).sure == 0
    random = np.random.default_rng(4)
    busy = cv2.resize(random.integers(0, 256, (24, 32, 3), np.uint8), (640, 480))
    for pixels in (busy, noise()):
        found = count(View.of(pixels))
        assert found.busy or found.sure == 0 or found.perhaps
