"""Changes between two frames are reported; a shaking camera or a cloud is not a change."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.local.engine.sight.sight_frames import Pixels, bgr, filled, film, shot
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight.changes import choose_earlier, compare
from vision_agent.local.engine.sight.colour_names import base_name

LEFT, MIDDLE, RIGHT = "on the left", "in the middle", "on the right"
RED, BLUE = (215, 40, 40), (30, 60, 170)

# The later frame against the earlier one: shift in pixels, turn, exposure.
STILL = ((0.0, 0.0), 0.0, 1.0)
CAMERAS = {
    "still": STILL,
    "in a hand": ((8.0, -8.0), 0.4, 1.0),
    "in another light": ((0.0, 0.0), 0.0, 1.2),
    "in a hand and darker": ((-7.0, 5.0), -0.4, 0.8),
}


def desk() -> Pixels:
    """A wall, a table, and some things that stay where they are."""
    random = np.random.default_rng(7)
    pixels = filled((190, 188, 182))
    pixels[330:] = bgr((150, 115, 80))
    for x, y, width, height in ((40, 60, 130, 90), (430, 40, 110, 140), (260, 290, 60, 60)):
        colour = [int(level) for level in random.integers(60, 200, 3)]
        cv2.rectangle(pixels, (x, y), (x + width, y + height), colour, -1)
    return pixels


def with_thing(pixels: Pixels, x_px: int, rgb: tuple[int, int, int], y_px: int = 250) -> Pixels:
    shown = pixels.copy()
    cv2.ellipse(shown, (x_px, y_px), (40, 55), 0, 0, 360, bgr(rgb), -1)
    return shown


def later(pixels: Pixels, camera: str) -> Pixels:
    shift_px, turn_deg, exposure = CAMERAS[camera]
    return shot(pixels, shift_px=shift_px, turn_deg=turn_deg, exposure=exposure, seed=2)


@pytest.mark.parametrize("camera", CAMERAS)
class TestWhateverTheCameraDoes:
    def test_nothing_changed_if_nothing_did(self, camera: str) -> None:
        [bottles] = film([1.0])
        for scene in (desk(), bottles, with_thing(desk(), 330, RED)):
            changes = compare(shot(scene), later(scene, camera), 3.0)
            assert (changes.changed, changes.where, changes.what) == (False, (), "nothing changed")

    def test_a_thing_that_appears_is_told_with_its_colour_and_place(self, camera: str) -> None:
        for x_px, where in ((110, LEFT), (330, MIDDLE), (550, RIGHT)):
            changes = compare(shot(desk()), later(with_thing(desk(), x_px, RED), camera), 3.0)
            assert changes.where == (where,)
            assert changes.what == f"something red appeared {where}"

    def test_a_thing_that_goes_is_told(self, camera: str) -> None:
        changes = compare(shot(with_thing(desk(), 110, BLUE)), later(desk(), camera), 3.0)

        assert changes.where == (LEFT,)
        assert changes.what in (
            "something blue went away on the left",
            "something dark blue went away on the left",
        )

    def test_a_thing_that_moves_is_told_as_one(self, camera: str) -> None:
        before, after = with_thing(desk(), 110, RED), with_thing(desk(), 560, RED)
        changes = compare(shot(before), later(after, camera), 3.0)

        assert changes.where == (LEFT, RIGHT)
        assert changes.what == "something red moved from the left to the right"


def test_a_thing_that_moves_a_little_is_told_with_its_direction() -> None:
    before, after = with_thing(desk(), 270, RED, 210), with_thing(desk(), 370, RED, 210)

    changes = compare(shot(before), shot(after, seed=2), 3.0)

    assert changes.what == "something red moved to the right, in the middle"


def test_two_things_at_once_are_both_told() -> None:
    both = with_thing(with_thing(desk(), 110, RED), 560, BLUE)
    changes = compare(shot(desk()), shot(both, seed=2), 3.0)

    assert set(changes.where) == {LEFT, RIGHT}
    assert "something red appeared on the left" in changes.what
    assert "blue appeared on the right" in changes.what


def test_a_soft_shadow_is_no_change() -> None:
    shade = np.zeros((480, 640))
    cv2.ellipse(shade, (200, 200), (120, 90), 0, 0, 360, 0.3, -1)
    shaded = desk() * (1 - cv2.GaussianBlur(shade, (0, 0), 25))[..., None]

    changes = compare(shot(desk()), shot(shaded.astype(np.uint8), seed=2), 3.0)

    assert not changes.changed


def test_another_scene_is_another_frame() -> None:
    other = cv2.flip(255 - desk(), 0)

    assert compare(shot(desk()), shot(other), 2.0).what == "nearly the whole picture is different"
    assert compare(shot(desk()), shot(other[:, 100:400]), 2.0).changed


# In the film: a time, what changed during the three seconds before, and where.
FILM = (
    (3.0, "nothing changed", set()),
    (7.5, "went away", {LEFT}),
    (13.5, "appeared", {LEFT}),
    (18.0, "went away", {LEFT, MIDDLE}),
    (21.0, "nothing changed", set()),
    (30.0, "appeared", {LEFT}),
    (33.0, "went away", {RIGHT}),
)


@pytest.mark.parametrize(("at_s", "what", "where"), FILM, ids=[str(at_s) for at_s, *_ in FILM])
def test_bottles_come_and_go(at_s: float, what: str, where: set[str]) -> None:
    before, after = film([at_s - 3, at_s])

    changes = compare(before, after, 3.0)

    assert set(changes.where) == where
    assert what in changes.what
    if changes.changed:
        words = changes.what.split()
        assert base_name(words[words.index(what.split()[0]) - 1]) == "blue"


class TestTheEarlierFrame:
    @staticmethod
    def _chosen(*at_ms: int) -> int | None:
        chosen = choose_earlier([SeenFrame(b"", at) for at in at_ms])
        return None if chosen is None else chosen.at_ms

    def test_is_the_youngest_of_at_least_three_seconds(self) -> None:
        assert self._chosen(0, 1000, 2000, 3000, 4000, 5000, 6000) == 3000

    def test_is_the_oldest_if_none_is_three_seconds_old(self) -> None:
        assert self._chosen(4000, 5000, 6000) == 4000

    def test_is_not_older_than_ten_seconds_if_a_younger_one_is_there(self) -> None:
        assert self._chosen(0, 9000, 11_000) == 9000

    def test_is_the_youngest_earlier_one_if_all_are_old(self) -> None:
        assert self._chosen(0, 1000, 60_000) == 1000

    def test_is_none_if_the_newest_is_the_first(self) -> None:
        assert self._chosen(1000) is None
        assert self._chosen() is None
