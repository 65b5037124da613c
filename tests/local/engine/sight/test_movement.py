"""Whether something moves, where, and which way; light, noise and a shaky hand don't count."""

from __future__ import annotations

import pytest

from tests.local.engine.sight.sight_frames import film, jpeg, shot
from tests.local.engine.sight.sight_scenes import (
    MOVING_S,
    STILL_S,
    held_up,
    moved,
    textured,
    wall,
)
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.answers.phrasing import details
from vision_agent.local.engine.sight.camera_frame import decode
from vision_agent.local.engine.sight.movement import movement
from vision_agent.local.engine.sight.observations import Movement, Observations


def seen(frames: list[SeenFrame]) -> Movement:
    return movement(frames, decode(frames[-1].jpeg))


def test_what_moves_in_the_film_is_told_and_where_and_nothing_while_it_is_still() -> None:
    frames = film([float(second) for second in range(40)])
    frames = [SeenFrame(jpeg(p, 70), 1000 * second) for second, p in enumerate(frames)]
    for second in STILL_S:
        assert not seen(frames[max(0, second - 3) : second + 1]).moving, second
    for second, where in MOVING_S.items():
        found = seen(frames[max(0, second - 3) : second + 1])
        assert found.moving, second
        assert not found.camera
        assert where in found.where, second


@pytest.mark.parametrize(
    ("way", "words"),
    [((120, 0), "to the right"), ((-120, 0), "to the left"), ((0, 90), "down"), ((0, -90), "up")],
)
def test_which_way_it_moves(way: tuple[int, int], words: str) -> None:
    for seed, plain in ((1, False), (2, True)):
        found = seen(moved(way, seed, plain=plain))
        assert found.moving
        assert found.way == words
        assert found.over_s == 1.0


def test_what_moved_before_and_is_still_now_is_told_so() -> None:
    frames = moved((150, 0), 3)
    still = SeenFrame(frames[-1].jpeg, 3000)
    found = seen([*frames[1:], still])
    assert found.moving
    assert found.just_before
    assert not seen([*frames[2:], still, SeenFrame(frames[-1].jpeg, 4000)]).moving


def test_a_shaky_hand_and_another_exposure_are_no_movement() -> None:
    scene = held_up(textured(7), wall())
    for seed in range(6):
        frames = [
            SeenFrame(jpeg(shot(scene, shift_px=shift, exposure=light, seed=seed + step)), at_ms)
            for step, (shift, light, at_ms) in enumerate(
                [((0.0, 0.0), 1.0, 0), ((3.0, -2.0), 0.9, 1000), ((-2.0, 3.0), 1.1, 2000)]
            )
        ]
        assert not seen(frames).moving


def test_frames_left_out_because_nothing_changed_are_no_lack_of_frames() -> None:
    still = jpeg(shot(held_up(textured(7), wall())))
    assert seen([SeenFrame(still, 0), SeenFrame(still, 10_000)]).over_s == 10.0


def test_one_frame_tells_nothing_nor_do_frames_of_the_same_moment() -> None:
    still = jpeg(shot(wall()))
    assert seen([SeenFrame(still, 0)]).over_s == 0
    assert seen([SeenFrame(still, 0), SeenFrame(still, 100)]).over_s == 0


def test_only_what_keeps_moving_or_is_found_elsewhere_is_told_unasked() -> None:
    frames = moved((150, 0), 3)
    assert seen(frames).lasting
    # A flicker: one frame differs from those before it, and nothing in it is found elsewhere.
    still = wall(3)
    flicker = still.copy()
    flicker[200:260, 280:360] = (200, 80, 40)
    frames = [still, still, still, flicker]
    found = seen([SeenFrame(jpeg(shot(p)), 1000 * at) for at, p in enumerate(frames)])
    assert found.moving
    assert not found.lasting
    said = details(Observations(movement=found))
    assert said == []
