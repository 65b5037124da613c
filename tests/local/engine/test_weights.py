"""Each file of weights is checked by its hash when it is loaded."""

from dataclasses import replace
from pathlib import Path

import pytest

from vision_agent import detection
from vision_agent.detection import coco_detector, face_detector, object_detector
from vision_agent.local.engine import weights
from vision_agent.weights_file import Weights, WeightsError

EVERY = {
    name: value
    for module in (weights, coco_detector, face_detector, object_detector)
    for name, value in vars(module).items()
    if isinstance(value, Weights)
}


@pytest.mark.parametrize("name", EVERY)
def test_a_file_of_weights_has_the_hash_that_is_written_down(name):
    assert EVERY[name].path().is_file()


@pytest.mark.parametrize("package", [weights, detection])
def test_every_file_of_a_folder_stands_in_its_notice_with_its_hash(package):
    folder = Path(package.__file__).parent
    notice = (folder / "NOTICE.md").read_text()
    here = {w.file: w.sha256 for w in EVERY.values() if w.package == package.__name__}
    assert set(here) == {
        path.name for path in folder.iterdir() if path.suffix in (".onnx", ".json")
    }
    for file, sha256 in here.items():
        (row,) = (line for line in notice.splitlines() if f"`{file}`" in line)
        assert f"`{sha256}`" in row


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (Weights("no_such_package", "model.onnx", ""), "no_such_package, which brings model.onnx"),
        (replace(weights.WHISPER_TINY, file="model/other.bin"), "can't be read: No such file"),
        (replace(face_detector.FACE_DETECTOR, sha256="0" * 64), "is damaged"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(weight, words):
    with pytest.raises(WeightsError, match=words) as raised:
        weight.path()
    assert str(Path(weights.__file__).parent.parent) not in str(raised.value)
    assert "site-packages" not in str(raised.value)
