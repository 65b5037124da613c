"""How near a sentence comes in meaning to example sentences of each intent.

`examples.tsv` holds sentences of every intent, and sentences that ask for nothing (intent ``-``).
`examples.npy` holds their vectors, so that loading does not take a second longer; after a change of
the sentences, ``python -m vision_agent.local.engine.language.nearest_examples`` writes it again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision_agent.local.engine.language.sentence_encoder import SentenceEncoder, Vectors

_HERE = Path(__file__).parent
_SENTENCES, _VECTORS = _HERE / "examples.tsv", _HERE / "examples.npy"

NOTHING = "-"
"""The intent of a sentence that asks for nothing."""

_SCALE = 127


def examples() -> list[tuple[str, str]]:
    """Intent and sentence of every example."""
    lines = _SENTENCES.read_text(encoding="utf-8").splitlines()
    return [(intent, text) for intent, _, text in (line.partition("\t") for line in lines) if text]


class NearestExamples:
    """Loads the encoder and the examples: 0.3 s. It is used by one thread at a time.

    Raises:
        WeightsError: A file of weights is missing or damaged.
    """

    def __init__(self) -> None:
        self._encoder = SentenceEncoder()
        self._intents = [intent for intent, _ in examples()]
        self._vectors = np.load(_VECTORS).astype(np.float32) / _SCALE

    def cosines(self, sentence: str) -> dict[str, float]:
        """The cosine of the nearest example of each intent, the nearest first: 3 ms.

        Args:
            sentence: Without fillers (`normalisation.plain`).
        """
        cosines = self._vectors @ self._encoder.encode([sentence])[0]
        nearest: dict[str, float] = {}
        for at in np.argsort(-cosines):
            nearest.setdefault(self._intents[at], float(cosines[at]))
        return nearest


def vectors() -> Vectors:
    """The vectors of the examples as the file holds them, rounded to 8 bits."""
    found = SentenceEncoder().encode([text for _, text in examples()])
    rounded: Vectors = np.round(found * _SCALE).astype(np.int8)
    return rounded


if __name__ == "__main__":
    np.save(_VECTORS, vectors())
