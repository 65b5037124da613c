"""The request of the example sentence that is nearest in meaning.

`examples.tsv` holds sentences of every intent, and sentences that ask for nothing (intent ``-``).
`examples.npy` holds their vectors, so that loading does not take a second longer; after a change of
the sentences, ``python -m vision_agent.local.engine.language.nearest_examples`` writes it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_agent.local.engine.language.sentence_encoder import SentenceEncoder, Vectors

_HERE = Path(__file__).parent
_SENTENCES, _VECTORS = _HERE / "examples.tsv", _HERE / "examples.npy"

NOTHING = "-"
"""The intent of a sentence that asks for nothing."""

LEAST_COSINE = 0.58
"""Cosine below which no example is near enough."""

LEAST_LEAD = 0.06
"""By how much the best intent must be nearer than sentences that ask for nothing."""

_SCALE = 127


@dataclass(frozen=True, slots=True)
class Nearest:
    """How near a sentence comes to the examples.

    Attributes:
        intent: The intent of the nearest example that asks for something.
        cosine: Its cosine.
        nothing: The cosine of the nearest example that asks for nothing.
    """

    intent: str
    cosine: float
    nothing: float

    @property
    def is_meant(self) -> bool:
        """Whether the intent is near enough to be believed."""
        return self.cosine >= LEAST_COSINE and self.cosine - self.nothing >= LEAST_LEAD


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
        self._intents = np.array([intent for intent, _ in examples()])
        self._vectors = np.load(_VECTORS).astype(np.float32) / _SCALE
        self._asks = self._intents != NOTHING

    def nearest(self, sentence: str) -> Nearest:
        """Compares a normalised sentence with every example: 3 ms."""
        cosines = self._vectors @ self._encoder.encode([sentence])[0]
        best = int(np.where(self._asks, cosines, -1).argmax())
        nothing = float(cosines[~self._asks].max())
        return Nearest(str(self._intents[best]), float(cosines[best]), nothing)


def vectors() -> Vectors:
    """The vectors of the examples as the file holds them, rounded to 8 bits."""
    found = SentenceEncoder().encode([text for _, text in examples()])
    rounded: Vectors = np.round(found * _SCALE).astype(np.int8)
    return rounded


if __name__ == "__main__":
    np.save(_VECTORS, vectors())
