"""Taught things are recognised turned, nearer and in other light; other things are not."""

from __future__ import annotations

import pytest

from tests.local.engine.sight.sight_frames import Pixels, filled, film, shot
from tests.local.engine.sight.sight_scenes import coloured_shape, held_up, textured, wall
from vision_agent.local.engine.sight.known import Finder, TaughtThing

SEEDS = range(5)
RED, BLUE = (200, 30, 30), (40, 70, 180)


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


@pytest.fixture(scope="module")
def taught(finder: Finder) -> list[TaughtThing]:
    return [learned(finder, f"thing {seed}", textured(seed), seed) for seed in SEEDS]


def learned(finder: Finder, name: str, thing: Pixels, seed: int = 0) -> TaughtThing:
    view = finder.learn(shot(held_up(thing, wall(seed)), seed=seed))
    assert view is not None
    return TaughtThing(name, "my", (view,))


@pytest.mark.parametrize(
    ("turn_deg", "scale", "light", "tilt"),
    [
        *((40, 1, 1, 0), (160, 1, 1, 0), (5, 0.6, 1, 0), (5, 1.4, 1, 0), (5, 1, 0.6, 0)),
        (25, 0.8, 1.2, 0.06),
    ],
)
def test_a_taught_thing_is_known_again(
    finder: Finder,
    taught: list[TaughtThing],
    turn_deg: float,
    scale: float,
    light: float,
    tilt: float,
) -> None:
    right = 0
    for seed in SEEDS:
        scene = held_up(
            textured(seed),
            wall(seed + 50),
            at=(360, 220),
            turn_deg=turn_deg,
            scale=scale,
            tilt=tilt,
            seed=seed,
        )
        found = finder.find(shot(scene, exposure=light, noise=4, seed=seed), taught)
        assert all(known.name == f"thing {seed}" for known in found if known.sure)
        right += any(known.name == f"thing {seed}" for known in found)
    assert right >= len(SEEDS) - 1


def test_its_place_is_known(finder: Finder, taught: list[TaughtThing]) -> None:
    scene = shot(held_up(textured(3), wall(9), at=(500, 130), scale=0.8))
    [known] = finder.find(scene, taught)
    assert known.sure
    assert abs(known.box.x + known.box.width / 2 - 500 / 640) < 0.03
    assert abs(known.box.y + known.box.height / 2 - 130 / 480) < 0.03
    assert abs(known.box.width - 0.8 * 180 / 640) < 0.05


def test_unknown_things_are_not_taken_for_known_ones(
    finder: Finder, taught: list[TaughtThing]
) -> None:
    for seed in range(100, 110):
        scene = shot(held_up(textured(seed), wall(seed), turn_deg=float(seed)), seed=seed)
        assert not [known for known in finder.find(scene, taught) if known.sure]
    for pixels in film([0.0, 6.0, 17.0, 20.0, 36.0]):
        assert finder.find(pixels, taught) == ()


def test_two_known_things_in_one_frame_are_both_found(
    finder: Finder, taught: list[TaughtThing]
) -> None:
    scene = held_up(textured(1), wall(), at=(160, 240))
    scene = held_up(textured(2), scene, at=(470, 240))
    assert [known.name for known in finder.find(shot(scene), taught)] == ["thing 1", "thing 2"]


def test_the_bottle_of_the_film_is_known_while_it_stands_there(finder: Finder) -> None:
    [shown] = film([20.0])
    view = finder.learn(shown)
    assert view is not None
    bottle = [TaughtThing("bottle", "my", (view,))]
    for pixels in film([2.0, 9.0, 18.0, 27.0]):
        [known] = finder.find(pixels, bottle)
        assert known.sure
        assert known.box.x > 0.7


def test_a_plain_thing_is_known_by_colour_and_shape_and_never_surely(finder: Finder) -> None:
    def plain(kind: str, rgb: tuple[int, int, int], **how: object) -> Pixels:
        thing, mask = coloured_shape(kind, rgb)
        return shot(held_up(thing, wall(3), mask=mask, **how))  # type: ignore[arg-type]

    view = finder.learn(plain("bar", RED))
    assert view is not None
    assert not view.has_details
    taught = [TaughtThing("ruler", "my", (view,))]
    [known] = finder.find(plain("bar", RED, turn_deg=30.0, at=(330, 250)), taught)
    assert (known.name, known.sure) == ("ruler", False)
    assert finder.find(plain("bar", BLUE), taught) == ()
    assert finder.find(plain("disc", RED), taught) == ()


def test_from_an_empty_frame_nothing_is_learned(finder: Finder) -> None:
    assert finder.learn(shot(filled((190, 190, 185)))) is None
