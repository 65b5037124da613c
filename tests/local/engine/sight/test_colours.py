"""Colours are named as a person would name them, in any light."""

from __future__ import annotations

import cv2
import pytest

from tests.local.engine.sight.sight_frames import (
    COOL,
    DAYLIGHT,
    SHADES,
    WARM,
    bgr,
    filled,
    film,
    noise,
    patch,
    shot,
    with_faces,
)
from vision_agent.detection.face_detector import FaceDetector
from vision_agent.local.engine.sight import look
from vision_agent.local.engine.sight.box_colours import colour_in
from vision_agent.local.engine.sight.camera_frame import Box
from vision_agent.local.engine.sight.colour_names import base_name
from vision_agent.local.engine.sight.colours import describe_colours
from vision_agent.local.engine.sight.foreground import View

CASTS = {"daylight": DAYLIGHT, "warm": WARM, "cool": COOL}
WALLS = {
    "white": (238, 238, 238),
    "grey": (165, 165, 165),
    "dark": (60, 60, 62),
    "wooden": (170, 120, 70),
}
ALIKE = {("white", "white"), ("grey", "grey"), ("black", "dark"), ("brown", "wooden")}

THREE_BOTTLES_S = 1.0
ONE_BOTTLE_ON_THE_RIGHT_S = 20.5
TWO_BOTTLES_LEFT_AND_MIDDLE_S = 32.5
HAND_AT_THE_LEFT_S = 12.5


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("name", SHADES)
def test_a_thing_in_the_middle_has_its_colour_before_any_wall_under_any_cast(
    name: str, cast: str
) -> None:
    seen = {}
    for rgb in SHADES[name][:2]:
        for wall, wall_rgb in WALLS.items():
            if (name, wall) not in ALIKE:
                pixels = shot(patch(rgb, wall_rgb), cast=CASTS[cast])
                seen[rgb, wall] = describe_colours(pixels)

    assert {key: base_name(colour.main) for key, colour in seen.items()} == dict.fromkeys(
        seen, name
    )
    assert all(colour.stands_out for colour in seen.values())


@pytest.mark.parametrize("name", SHADES)
def test_a_frame_of_one_colour_has_that_colour_under_any_cast(name: str) -> None:
    seen = [
        describe_colours(shot(filled(rgb, (320, 240)), cast=cast))
        for rgb in SHADES[name]
        for cast in CASTS.values()
    ]

    assert [base_name(colour.main) for colour in seen] == [name] * len(seen)
    assert not any(colour.stands_out or colour.others for colour in seen)


def test_the_colour_of_the_background_is_told_besides() -> None:
    colour = describe_colours(shot(patch((200, 30, 30), (40, 140, 60))))

    assert (colour.main, colour.background) == ("red", "green")


def test_light_and_dark_are_told_where_they_help() -> None:
    white = WALLS["white"]

    assert describe_colours(shot(patch((20, 30, 100), white))).main == "dark blue"
    assert describe_colours(shot(patch((150, 200, 240), white))).main == "light blue"
    assert describe_colours(shot(patch((20, 80, 35), white))).main == "dark green"
    assert describe_colours(shot(patch((40, 90, 200), white))).main == "blue"


def test_two_things_side_by_side_are_told_with_their_places() -> None:
    pixels = filled((225, 225, 225))
    pixels[180:320, 60:180] = (50, 50, 200)  # blue, green, red
    pixels[150:330, 260:400] = (60, 150, 50)
    pixels[200:300, 480:590] = (190, 80, 40)

    colour = describe_colours(shot(pixels))

    assert colour.main == "green"
    assert set(colour.others) == {("on the left", "red"), ("on the right", "blue")}


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return look.FaceDetector()  # shared


@pytest.mark.parametrize("rgb", [SHADES[name][0] for name in ("red", "green", "yellow", "purple")])
@pytest.mark.parametrize("y_px", [365, 390])
def test_what_somebody_shows_is_meant_and_not_the_face_or_shirt(
    detector: FaceDetector, rgb: tuple[int, int, int], y_px: int
) -> None:
    pixels = with_faces(320)
    cv2.rectangle(pixels, (285, y_px + 40), (355, 480), (125, 155, 200), -1)  # the arm
    cv2.ellipse(pixels, (320, y_px), (55, 65), 0, 0, 360, bgr(rgb), -1)
    seen = shot(pixels)
    faces = detector.boxes(seen)
    assert len(faces) == 1

    colour = describe_colours(seen, faces)

    assert SHADES[base_name(colour.main)][0] == rgb


def test_somebody_who_shows_nothing_is_told_by_the_shirt(detector: FaceDetector) -> None:
    seen = shot(with_faces(320))

    assert base_name(describe_colours(seen, detector.boxes(seen)).main) == "blue"


def test_noise_of_all_colours_has_a_colour_too() -> None:
    colour = describe_colours(noise())

    assert base_name(colour.main) in SHADES
    assert not colour.stands_out


def test_what_fills_the_middle_may_touch_the_border() -> None:
    pixels = filled((225, 225, 225))
    pixels[140:, 220:430] = (60, 150, 50)

    assert describe_colours(shot(pixels)).main == "green"


def test_the_bottle_in_the_middle_is_blue_before_a_grey_wall() -> None:
    for pixels in film([0.5, 4.0, 9.0, 14.0, 28.0, 34.5, 36.5, 38.5]):
        colour = describe_colours(pixels)
        assert base_name(colour.main) == "blue"
        assert base_name(colour.background) == "grey"
        assert colour.stands_out


def test_bottles_are_told_where_they_stand_and_nowhere_else() -> None:
    three, one, two = (
        describe_colours(pixels)
        for pixels in film(
            [THREE_BOTTLES_S, ONE_BOTTLE_ON_THE_RIGHT_S, TWO_BOTTLES_LEFT_AND_MIDDLE_S]
        )
    )

    def blue(others: tuple[tuple[str, str], ...]) -> set[str]:
        return {where for where, name in others if base_name(name) == "blue"}

    assert blue(three.others) == {"on the left", "on the right"}
    assert blue(one.others) == {"on the right"}
    assert not one.stands_out
    assert base_name(one.main) == "grey"
    assert blue(two.others) == {"on the left"}


@pytest.mark.parametrize(
    ("left", "right", "share_of_left", "words"),
    [
        ((30, 60, 200), (30, 150, 60), 0.5, {"blue", "green"}),
        ((30, 60, 200), (30, 150, 60), 0.2, {"green"}),
        ((150, 10, 15), (105, 60, 35), 0.4, {"red", "brown"}),
    ],
)
def test_a_thing_between_two_colours_has_both_names(left, right, share_of_left, words) -> None:
    pixels = filled((238, 238, 238), (400, 300))
    edge_px = round(140 + 120 * share_of_left)
    pixels[100:200, 140:edge_px] = bgr(left)
    pixels[100:200, edge_px:260] = bgr(right)

    said = colour_in(View.of(pixels), Box(0.3, 0.3, 0.4, 0.4))

    assert {base_name(name) for name in said.split(" or ")} == words


def test_black_and_white_parts_are_no_grey_thing() -> None:
    """Parts of many greys, like a white car's windows and shaded paint, have no common colour."""
    pixels = filled((238, 238, 238), (400, 300))
    box = Box(0.3, 0.3, 0.4, 0.4)
    pixels[90:210, 120:280] = bgr((120, 120, 120))
    assert base_name(colour_in(View.of(pixels), box)) == "grey"
    for at, grey in enumerate((50, 90, 150, 190)):
        pixels[90:210, 152 + 24 * at : 176 + 24 * at] = bgr((grey, grey, grey))
    assert colour_in(View.of(pixels), box) == ""
