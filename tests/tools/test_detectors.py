from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

import av
import cv2
import numpy as np
import pytest

from tests.conftest import RECORDINGS
from tests.local.engine.sight.sight_frames import shot, with_faces
from vision_agent.detection.box import Box
from vision_agent.detection.kinds import kind_in
from vision_agent.detection.object_detector import Detection, ObjectDetector
from vision_agent.tools.detectors import (
    CodeComes,
    Detector,
    FaceComes,
    SceneChanges,
    SomethingMoves,
    TextComes,
    detector_for,
)
from vision_agent.tools.kind_detectors import KindComes, KindGoes, with_shoes
from vision_agent.tools.watch import promise


def table(seed: int, light: float = 1.0) -> np.ndarray:
    """A table by a wall, with a camera's noise."""
    pixels = np.full((360, 640, 3), (150, 160, 165), np.float32)
    pixels[220:] = (60, 90, 130)
    return np.clip(pixels * light + noise(seed), 0, 255).astype(np.uint8)


@cache
def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 6, (360, 640, 3))


def with_cup(seed: int, x: int = 300) -> np.ndarray:
    pixels = table(seed)
    cv2.rectangle(pixels, (x, 160), (x + 50, 240), (40, 40, 200), -1)
    cv2.rectangle(pixels, (x + 8, 175), (x + 42, 200), (230, 230, 230), -1)
    return pixels


def shown(detector: Detector, frames: Iterable[np.ndarray]) -> tuple[int, str] | None:
    """After how many frames the detector reported something, and its words."""
    for number, pixels in enumerate(frames, 1):
        if found := detector.look(pixels):
            return number, found
    return None


@pytest.mark.parametrize("kind", ["appears", "disappears", "moves", "changes"])
def test_noise_and_wandering_exposure_are_no_events(kind):
    lights = [1, 1.03, 0.97, 1.06, 1.1, 1.05, 1.0, 0.93, 0.9, 1.0]
    frames = [table(n, light) for n, light in enumerate(lights)]
    assert shown(detector_for(kind, "anything"), frames) is None


def test_what_appears_is_told_once_it_stays():
    frames = [table(0), table(1), with_cup(2), with_cup(3), with_cup(4)]
    assert shown(SceneChanges("appears"), frames) == (
        4,
        "Something new has appeared in the middle of the picture.",
    )


def test_what_is_there_for_one_frame_only_was_a_passing_hand():
    frames = [table(0), table(1), with_cup(2), table(3), with_cup(4), table(5)]
    assert shown(SceneChanges("appears"), frames) is None


def test_what_is_gone_is_told_apart_from_what_has_come():
    came = [table(0), table(1), with_cup(2), with_cup(3), with_cup(4)]
    assert shown(SceneChanges("disappears"), came) is None
    found = shown(SceneChanges("disappears"), [with_cup(0), with_cup(1), table(2), table(3)])
    assert found == (4, "Something in the middle of the picture is gone.")
    assert shown(SceneChanges("appears"), [with_cup(0), with_cup(1), *map(table, range(5))]) is None


def test_another_colour_is_a_change_even_if_it_is_as_bright():
    blue = table(0)
    blue[50:150, 500:600] = (200, 60, 30)
    green = table(1)
    green[50:150, 500:600] = (56, 90, 54)
    found = shown(SceneChanges("changes"), [blue, blue, green, green])
    assert found == (4, "Something has changed at the side of the picture.")


def test_a_turned_camera_is_no_appearance_but_a_change():
    other = np.random.default_rng(0).integers(0, 255, (36, 64, 3), np.uint8)
    other = cv2.resize(other, (640, 360))
    turned = [table(0), table(1), other, other, other, other]
    assert shown(SceneChanges("appears"), turned) is None
    assert shown(SceneChanges("changes"), turned) == (4, "The whole picture has changed.")


def test_what_moves_is_told_in_the_second_frame_of_its_way():
    moving = [with_cup(n, 60 + 90 * n) for n in range(5)]
    found = shown(SomethingMoves(), [with_cup(9, 60), with_cup(8, 60), *moving])
    assert found is not None
    assert 4 <= found[0] <= 6


def test_a_real_hand_on_a_real_table_moves():
    assert shown(SomethingMoves(), looks(12)) is not None


def looks(seconds: int) -> list[np.ndarray]:
    """Two frames a second of bottles that hands move about."""
    with av.open(str(RECORDINGS / "bottle.mp4")) as source:
        frames = islice(source.decode(video=0), 0, seconds * 30, 15)
        return [frame.to_ndarray(format="bgr24") for frame in frames]


def test_a_qr_code_is_told_with_what_it_says():
    code = cv2.QRCodeEncoder.create().encode("https://example.org/menu")
    pixels = table(0)
    large = cv2.resize(code, (180, 180), interpolation=cv2.INTER_NEAREST)
    pixels[80:260, 200:380] = large[:, :, None]
    assert shown(CodeComes(), [table(1), table(2)]) is None
    found = shown(CodeComes(), [table(1), pixels])
    assert found == (2, 'I see a QR code. It says "https://example.org/menu".')


def test_text_is_told_when_it_was_not_there_before():
    def signs(*words: str) -> np.ndarray:
        pixels = table(1)
        for row, word in enumerate(words):
            at = (120, 80 + 110 * row)
            cv2.putText(pixels, word, at, cv2.FONT_HERSHEY_SIMPLEX, 2, (10, 10, 10), 4)
        return pixels

    found = shown(TextComes("any text"), [signs("EXIT"), signs("EXIT"), signs("EXIT", "BUS 42")])
    assert found is not None
    assert found[0] == 3
    assert "BUS 42" in found[1]
    assert shown(TextComes("the word exit"), [signs("EXIT")]) is not None


CUP, PERSON = kind_in("a cup"), kind_in("somebody")


@pytest.mark.parametrize(
    ("detector", "kind", "counts", "told"),
    [
        (KindComes, CUP, [0, 0, 0, 1, 0, 0, 1, 1], (8, "I see a cup now.")),
        (KindComes, CUP, [0, 1, 0, 0, 1, 0, 0], None),
        (KindComes, CUP, [1, 1, 1], (3, "I see a cup now.")),
        (KindComes, PERSON, [1, 1, 1, 1, 2, 2], (6, "Another person is in view.")),
        (KindComes, PERSON, [1, 1, 1, 0, 0, 0, 1, 1], (8, "I see a person now.")),
        (KindGoes, CUP, [1, 1, 1, 0, 0, 1, 0, 0, 0], (9, "The cup is gone.")),
        (KindGoes, CUP, [0, 0, 0, 0, 0], None),
        (KindGoes, PERSON, [0, 0, 0, 1, 1, 0, 0, 0], (8, "The person is gone.")),
    ],
)
def test_three_looks_decide_whether_a_thing_has_come_or_gone(detector, kind, counts, told):
    counted = iter(counts)
    watching = detector(kind, lambda pixels, least: next(counted))
    assert shown(watching, [table(0)] * len(counts)) == told


def test_who_is_seen_from_the_side_is_a_person_by_their_shoes():
    def found(*labels_and_boxes: tuple[str, float, Box]) -> list[Detection]:
        return [Detection(label, score, box) for label, score, box in labels_and_boxes]

    body, shoe = ("person", 0.36, Box(0.1, 0.1, 0.2, 0.8)), Box(0.12, 0.83, 0.06, 0.05)
    assert with_shoes(found(body)) == []
    assert with_shoes(found(body, ("boot", 0.3, shoe))) == [body[2]]
    assert with_shoes(found(body, ("shoe", 0.3, Box(0.6, 0.8, 0.1, 0.1)))) == []


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    return [*looks(10), *map(table, range(3))]


@pytest.fixture(scope="module", autouse=True)
def _a_frame_of_the_film_is_searched_once(film: list[np.ndarray]) -> Iterator[None]:
    """The network finds the same things in a frame, whatever kind is watched for."""
    find, of_film = ObjectDetector.find, {id(pixels) for pixels in film}
    found: dict[int, tuple[Detection, ...]] = {}

    def find_once(self: ObjectDetector, pixels: np.ndarray) -> tuple[Detection, ...]:
        if (key := id(pixels)) not in of_film:
            return find(self, pixels)
        if key not in found:
            found[key] = find(self, pixels)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ObjectDetector, "find", find_once)
        yield


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("a bottle", "appears", "I see a bottle now."),
        ("a laptop", "appears", None),
        ("a person", "appears", None),
        ("the bottle", "disappears", "The bottle is gone."),
        ("the cup", "disappears", None),
    ],
)
def test_of_real_things_only_what_comes_or_goes_is_told(film, what, kind, words):
    at, told = shown(detector_for(kind, what), film) or (0, None)
    assert told == words
    assert at in (0, 3, len(film))


def test_no_face_is_seen_on_a_table():
    assert shown(FaceComes(), [table(0), with_cup(1), with_cup(2), table(3)]) is None


def test_one_more_face_than_at_first_is_told():
    one, two = (shot(with_faces(*at, scale=0.6), blur_px=1.5) for at in ((110,), (110, 530)))
    found = shown(FaceComes(), [one, one, two, one, two, two])
    assert found == (6, "There are 2 faces now.")


def test_who_has_left_is_told_of_when_they_come_back():
    one, none = shot(with_faces(320), blur_px=2), table(0)
    found = shown(FaceComes(), [one, one, none, none, one, one])
    assert found == (6, "A face has come into view.")


@pytest.mark.parametrize(
    ("what", "kind", "detector"),
    [
        ("a QR code", "appears", CodeComes),
        ("a face", "appears", FaceComes),
        ("somebody", "appears", KindComes),
        ("the cup of tea", "disappears", KindGoes),
        ("a person", "changes", KindComes),
        ("the cup is full", "changes", SceneChanges),
        ("some text", "appears", TextComes),
        ("a cup", "appears", KindComes),
        ("a balloon", "appears", SceneChanges),
        ("a person", "moves", SomethingMoves),
        ("it", "code", CodeComes),
    ],
)
def test_what_can_be_recognised_is_recognised_whatever_kind_was_named(what, kind, detector):
    assert isinstance(detector_for(kind, what), detector)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no kind"):
        detector_for("sings", "it")


@pytest.mark.parametrize(
    ("what", "kind", "promised"),
    [
        ("it turns red", "changes", "something in the picture changes"),
        ("door opens", "changes", "something in the picture changes"),
        ("a face", "appears", "a face comes into view"),
        ("a cup", "appears", "a cup comes into the picture"),
        ("a woman", "appears", "a person comes into the picture"),
        ("the dog", "disappears", "the dog goes from the picture"),
        ("a balloon", "appears", "something comes into the picture"),
        ("it", "moves", "something moves"),
    ],
)
def test_what_is_promised_is_what_is_watched_for(what, kind, promised):
    assert promise(kind, what, 300) == (
        f"The caller will be told when {promised}, for 5 minutes at most."
    )
