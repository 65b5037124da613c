"""Things on a film are named, drawings are not, and doubtful names are marked as such."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.local.engine.sight.sight_frames import film, jpeg, shot, written
from tests.local.engine.sight.sight_scenes import BOTTLES, held_up, several, textured, wall
from vision_agent.detection.box import overlap
from vision_agent.detection.coco_detector import CocoDetector
from vision_agent.detection.kinds import LABELS
from vision_agent.detection.object_detector import Detection, anchors
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.answers.named_things import everybody
from vision_agent.local.engine.sight import look
from vision_agent.local.engine.sight.camera_frame import Box
from vision_agent.local.engine.sight.detections import candidates, steady, together
from vision_agent.local.engine.sight.everyday import ALIKE, kind_of, words
from vision_agent.local.engine.sight.names import Names
from vision_agent.local.engine.sight.naming import believed, in_front, shown
from vision_agent.local.engine.sight.observations import (
    LIKELY,
    PERHAPS,
    SURE,
    UNKNOWN,
    Named,
    Observations,
)

PHOTOGRAPHS = Path(__file__).parents[3] / "photographs"

NOTHING = np.zeros(1000, np.float32)
BOX = Box(0.4, 0.3, 0.2, 0.5)


@pytest.fixture(scope="module")
def names() -> Names:
    return look.Names()  # shared


@pytest.fixture(scope="module")
def coco() -> CocoDetector:
    return CocoDetector()


def test_the_bottles_of_the_film_are_counted_at_every_second(names: Names) -> None:
    wanted = [
        (start + step, number)
        for start, end, number in BOTTLES
        for step in np.arange(0.0, end - start + 0.1, 2.0).tolist()
    ]
    found = []
    for pixels in film([at_s for at_s, _ in wanted]):
        seen = names.named([SeenFrame(jpeg(pixels), 0)], pixels, ())
        found.append(Counter(t.name for t in seen if t.certainty in (SURE, LIKELY))["bottle"])

    assert found == [number for _, number in wanted]


def test_what_is_held_up_in_the_film_is_a_bottle(names: Names) -> None:
    (pixels,) = film([14.0])
    seen = names.named([SeenFrame(jpeg(pixels), 0)], pixels, ())

    shown = names.shown(pixels, seen, None)
    left = names.shown(pixels, seen, seen[0].box)

    assert (kind_of(shown.name), shown.certainty) == ("bottle", SURE)
    assert kind_of(left.name) == "bottle"
    assert left.box.x < shown.box.x


def test_drawn_shapes_patterns_and_text_are_not_named(names: Names) -> None:
    frames = [several(number, 300 + number) for number in (1, 4, 9)]
    frames += [shot(held_up(textured(100 + seed), wall(seed)), seed=seed) for seed in range(3)]
    frames += [shot(written(["EXIT", "NO SMOKING"], 40))]

    for pixels in frames:
        seen = names.named([SeenFrame(jpeg(pixels), 0)], pixels, ())
        assert seen == ()
        assert names.shown(pixels, seen, None).name == ""


def test_the_detectors_anchors_fill_six_maps() -> None:
    assert anchors().shape == (1917, 4)


def test_every_word_is_a_kind_or_of_one_that_is_named() -> None:
    named = {*LABELS, *words()}
    assert set(ALIKE) <= named
    assert set(ALIKE.values()) <= named
    assert kind_of("coffee cup") == kind_of("mug") == "mug"


def test_a_thing_of_most_frames_gets_their_mean_and_one_of_the_newest_alone_its_own() -> None:
    seen = [[Detection("bottle", score, BOX)] for score in (0.6, 0.5, 0.4)]
    flash = Detection("cup", 0.45, Box(0.0, 0.0, 0.1, 0.1))

    bottle, cup = steady([*seen, [Detection("bottle", 0.3, BOX), flash]])

    assert bottle.score == pytest.approx(0.45)
    assert cup == flash


@pytest.mark.parametrize(
    ("photograph", "label", "box"),
    [
        ("astronaut", "person", Box(0.05, 0.02, 0.67, 0.98)),
        ("coffee", "cup", Box(0.29, 0.05, 0.4, 0.6)),
        ("chelsea", "cat", Box(0.0, 0.0, 0.95, 1.0)),
    ],
)
def test_what_both_networks_of_coco_find_in_a_photograph_has_a_name_and_a_place(
    coco: CocoDetector, photograph: str, label: str, box: Box
) -> None:
    pixels = np.asarray(cv2.imread(str(PHOTOGRAPHS / f"{photograph}.jpg")), np.uint8)

    (first, *_) = coco.find(pixels)

    assert first.label == label
    assert first.score > 0.4
    assert overlap(first.box, box) > 0.7


def test_what_two_detectors_find_is_surer_and_what_one_denies_is_dropped() -> None:
    elsewhere = Box(0.0, 0.0, 0.1, 0.1)
    mug, cup = Detection("mug", 0.45, BOX), Detection("cup", 0.5, BOX)
    weak = Detection("cow", 0.25, elsewhere)
    bowl, plant = Detection("bowl", 0.6, BOX), Detection("plant", 0.6, elsewhere)

    both, alone = together([mug, weak], [cup, bowl, plant])

    assert (both.label, both.alone) == ("mug", False)
    assert both.score > 0.5
    assert (alone.label, alone.alone) == ("plant", True)


def test_what_the_second_detector_finds_alone_takes_the_classifier_or_a_high_score() -> None:
    def is_believed(*found: Detection, number: int = 0, chance: float = 0.0) -> bool:
        chances = NOTHING.copy()
        chances[number] = chance
        things = believed(found, [chances] * len(found), ())
        return found[0].label in [thing.name for thing in things]

    below = Box(0.4, 0.7, 0.2, 0.2)
    assert not is_believed(Detection("apple", 0.6, BOX, alone=True), number=948, chance=0.15)
    assert is_believed(Detection("apple", 0.6, BOX, alone=True), number=948, chance=0.25)
    assert not is_believed(Detection("cup", 0.45, BOX, alone=True), number=968, chance=0.3)
    assert is_believed(Detection("cup", 0.55, BOX, alone=True), number=968, chance=0.3)
    vase = Detection("vase", 0.6, below, alone=True)
    assert is_believed(vase, number=883, chance=0.3)
    assert not is_believed(vase, Detection("plant", 0.6, BOX, alone=True), number=883, chance=0.3)


def test_the_same_thing_under_two_names_is_one() -> None:
    mug, cup = Detection("mug", 0.4, BOX), Detection("coffee cup", 0.6, BOX)
    part = Detection("mug", 0.5, Box(0.45, 0.35, 0.1, 0.2))

    assert candidates([mug, cup, part]) == (cup,)


def test_what_is_two_animals_to_a_detector_is_an_animal() -> None:
    dog, cat = Detection("dog", 0.64, BOX), Detection("cat", 0.53, BOX)

    assert [one.label for one in candidates([dog, cat])] == ["animal"]
    assert [one.label for one in candidates([dog, Detection("cat", 0.45, BOX)])] == ["dog"]
    assert [one.label for one in candidates([dog, Detection("chair", 0.6, BOX)])] == ["dog"]


def test_hoofed_animals_of_two_kinds_are_animals_and_those_of_one_keep_their_name() -> None:
    as_cow, as_sheep = NOTHING.copy(), NOTHING.copy()
    as_cow[345] = as_sheep[348] = 0.9
    cow, sheep = Detection("cow", 0.7, BOX), Detection("sheep", 0.7, Box(0.0, 0.3, 0.2, 0.5))
    things = believed([cow, sheep], [as_cow, as_sheep], ())
    assert [thing.name for thing in things] == ["animal", "animal"]
    assert [thing.name for thing in believed([cow], [as_cow], ())] == ["cow"]


def test_one_thing_of_the_second_detector_bears_out_one_of_the_first() -> None:
    near, far = Detection("person", 0.5, BOX), Detection("person", 0.36, Box(0.38, 0.3, 0.3, 0.8))
    other = Detection("person", 0.6, Box(0.4, 0.3, 0.2, 0.45))

    assert [one.score for one in together([near, far], [other])] == [pytest.approx(0.63), 0.36]


def test_a_label_that_the_classifier_does_not_bear_out_is_not_believed() -> None:
    cat = Detection("cat", 0.55, BOX)
    as_cat = NOTHING.copy()
    as_cat[281] = 0.6
    as_cheetah = NOTHING.copy()
    as_cheetah[293] = 0.8

    assert believed([cat], [NOTHING], ()) == ()
    assert [thing.certainty for thing in believed([cat], [as_cat], ())] == [SURE]
    assert [thing.name for thing in believed([cat], [as_cheetah], ())] == ["cheetah"]
    as_cheetah[293] = 0.55
    assert [thing.name for thing in believed([cat], [as_cheetah], ())] == ["cheetah"]


def test_what_is_mostly_wrong_is_not_believed_however_high_its_score() -> None:
    def seen_as(label: str, score: float, box: Box, *classes: int) -> bool:
        chances = NOTHING.copy()
        for number in classes:
            chances[number] = 0.3
        return bool(believed([Detection(label, score, box)], [chances], ()))

    whole, small = Box(0, 0, 1, 1), Box(0.4, 0.8, 0.1, 0.1)
    assert not seen_as("laptop", 0.8, BOX), "a notebook with a rubber band"
    assert seen_as("laptop", 0.8, BOX, 620)
    assert not seen_as("monitor", 0.8, whole, 664), "a screenshot"
    assert not seen_as("shoe", 0.45, small), "something small and dark"
    assert seen_as("shoe", 0.55, small)
    assert not seen_as("box", 0.41, BOX), "perhaps a box, but nothing bears it out"


def test_a_face_makes_a_person_sure_and_stands_for_one_that_the_detector_missed() -> None:
    face = Box(0.45, 0.35, 0.1, 0.1)
    doubtful = Detection("person", 0.4, BOX)

    assert believed([doubtful], [], ()) == ()
    assert [thing.box for thing in believed([doubtful], [], [face])] == [BOX]
    assert [thing.name for thing in believed([], [], [face])] == ["person"]


def test_shoes_bear_out_a_person_seen_from_behind() -> None:
    doubtful = Detection("person", 0.45, BOX)
    shoe = Detection("shoe", 0.5, Box(0.45, 0.7, 0.05, 0.08))

    seen = believed([doubtful, shoe], [NOTHING], ())

    assert [(thing.name, thing.certainty) for thing in seen][-1] == ("person", SURE)


def test_a_doubtful_person_is_perhaps_there_beside_a_sure_one_and_not_alone() -> None:
    doubtful = Detection("person", 0.46, Box(0.7, 0.1, 0.3, 0.8))
    sure = Detection("person", 0.65, Box(0.1, 0.1, 0.3, 0.8))

    assert believed([doubtful], [], ()) == ()
    seen = believed([sure, doubtful], [], ())
    assert [thing.certainty for thing in seen] == [SURE, PERHAPS]
    assert everybody(Observations(named=seen)) == (
        "I see somebody on the left, and perhaps more; how many I can't tell."
    )


def test_a_doubtful_thing_is_perhaps_one_more_beside_others_of_its_kind() -> None:
    sure = Detection("bottle", 0.7, Box(0.1, 0.3, 0.1, 0.5))
    doubtful = Detection("bottle", 0.39, Box(0.7, 0.3, 0.1, 0.5))
    bottle = NOTHING.copy()
    bottle[898] = 0.1

    assert believed([doubtful], [bottle], ()) == ()
    seen = believed([sure, doubtful], [bottle, bottle], ())
    assert [thing.certainty for thing in seen] == [SURE, PERHAPS]


def test_a_mug_before_a_cat_does_not_deny_the_cat() -> None:
    mug, cat = Detection("mug", 0.63, Box(0.1, 0.4, 0.4, 0.3)), Detection("cat", 0.57, BOX)
    as_mug = NOTHING.copy()
    as_mug[504] = 0.6

    assert [thing.name for thing in believed([mug, cat], [as_mug, as_mug], ())] == ["mug", "cat"]
    assert believed([cat], [as_mug], ()) == ()


def test_a_kind_that_the_detector_knows_is_not_named_without_a_trace_of_it(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    beans, apple = NOTHING.copy(), NOTHING.copy()
    beans[967] = apple[948] = 0.8
    pixels = shot(wall(2))

    def named(chances: np.ndarray) -> str:
        monkeypatch.setattr(
            names._classifier, "chances_both_ways", lambda _, boxes: [chances] * len(boxes)
        )
        return names.shown(pixels, (), None).name

    assert named(apple) == "apple"
    assert named(beans) == "", "coffee beans, and no cup"


def test_a_word_that_the_middle_and_the_whole_frame_clearly_agree_on_is_perhaps_there() -> None:
    def of_classes(**chances: float) -> np.ndarray:
        found = NOTHING.copy()
        for number, chance in chances.items():
            found[int(number.removeprefix("n"))] = chance
        return found

    owl, owl_or_pen = of_classes(n24=0.3), of_classes(n24=0.3, n418=0.2)
    mostly_other = of_classes(n24=0.2)

    named = [shown(BOX, None, crops) for crops in ([owl] * 3, [owl_or_pen] * 3, [owl])]
    assert [(thing.name, thing.certainty) for thing in named] == [
        ("owl", PERHAPS),
        ("", UNKNOWN),
        ("", UNKNOWN),
    ]
    assert shown(BOX, None, [owl, owl, mostly_other]).name == ""

    owl_or_hen = shown(BOX, None, [of_classes(n24=0.3, n8=0.25)] * 3)
    assert (owl_or_hen.name, owl_or_hen.certainty) == ("bird", LIKELY), "at least the sort is told"


def test_what_stands_on_a_table_is_shown_rather_than_the_table() -> None:
    table = Named("table", Box(0.0, 0.3, 1.0, 0.7), 0.7, SURE)
    mug = Named("mug", Box(0.5, 0.4, 0.1, 0.2), 0.6, SURE)

    assert in_front([mug, table]) == mug
    assert in_front([table]) == table
    assert in_front([mug, table], Box(0.0, 0.3, 0.9, 0.7)) == table
