"""How near a sentence comes in meaning to example sentences of each intent.

`examples.tsv` holds sentences of every intent, sentences that ask for nothing (intent ``-``),
questions that no camera answers (``beyond``), and names of things that can be seen (``+``) and that
can't (``!``). `examples.npy` holds their vectors, `examples_regression.npy` the fit to the vectors,
and `examples_words.npy` the fit to the words, so that loading does not take seconds. After a
change, ``python -m vision_agent.local.engine.language.nearest_examples`` writes all three again,
and in `examples.sha256` the hash of the vectors' source, which a test compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_agent.local.engine.language import word_regression
from vision_agent.local.engine.language.logistic_regression import (
    Floats,
    LogisticRegression,
    fitted,
)
from vision_agent.local.engine.language.sentence_encoder import SentenceEncoder
from vision_agent.local.engine.language.word_regression import WordRegression
from vision_agent.local.engine.weights import SENTENCE_ENCODER, SENTENCE_TOKENIZER

_HERE = Path(__file__).parent
_SENTENCES, _VECTORS = _HERE / "examples.tsv", _HERE / "examples.npy"
_REGRESSION, _WORDS = _HERE / "examples_regression.npy", _HERE / "examples_words.npy"
HASH_FILE = _HERE / "examples.sha256"

_SCALE = 127

_OF_THINGS = frozenset({"+", "!"})
"""Examples that are names and not sentences."""

_SHARE = 0.5
"""How much a regression's probability of 1 adds to a cosine."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A sentence compared with each intent.

    Attributes:
        scores: The cosine of the nearest example, raised by the intent's probability; largest
            first.
        probable: The mean of both regressions' probabilities of each intent.
    """

    scores: dict[str, float]
    probable: dict[str, float]


def examples() -> list[tuple[str, str]]:
    """Intent and sentence of every example."""
    lines = _SENTENCES.read_text(encoding="utf-8").splitlines()
    return [(intent, text) for intent, _, text in (line.partition("\t") for line in lines) if text]


def kept_vectors() -> NDArray[np.int8]:
    """The vectors of the examples, one a row, in 8 bits."""
    kept: NDArray[np.int8] = np.load(_VECTORS)
    return kept


def kept_regression() -> LogisticRegression:
    """The regression on vectors, whose weights are kept in 16 bits."""
    return LogisticRegression(_intents(), np.load(_REGRESSION).astype(np.float32))


def kept_words() -> WordRegression:
    """The regression on words, whose weights are kept in 16 bits."""
    return WordRegression(_intents(), np.load(_WORDS).astype(np.float32))


def _intents() -> tuple[str, ...]:
    return tuple(sorted({intent for intent, _ in examples()} - _OF_THINGS))


class NearestExamples:
    """Loads the encoder and the examples in 0.3 s. Not thread-safe: one thread at a time.

    Raises:
        WeightsError: A file of weights is missing or damaged.
    """

    def __init__(self) -> None:
        self._encoder = SentenceEncoder()
        intents, which = np.unique([intent for intent, _ in examples()], return_inverse=True)
        self._intents: list[str] = intents.tolist()
        # The examples of an intent lie side by side.
        by_intent = np.argsort(which, kind="stable")
        self._begins = np.searchsorted(which[by_intent], np.arange(len(intents)))
        self._vectors = kept_vectors()[by_intent].astype(np.float32) / _SCALE
        self._regression, self._words = kept_regression(), kept_words()

    def cosines(self, sentence: str) -> dict[str, float]:
        """The cosine of each intent's nearest example, nearest first; takes 2 ms.

        Args:
            sentence: Without fillers (`normalisation.plain`).
        """
        return self._cosines(self._encoder.encode([sentence])[0])

    def compared(self, sentence: str) -> Compared:
        """The same cosines, and the regressions' probabilities."""
        vector = self._encoder.encode([sentence])[0]
        by_words = self._words.probabilities(sentence)
        by_vector = self._regression.probabilities(vector)
        probable = {intent: (by_vector[intent] + by_words[intent]) / 2 for intent in by_vector}
        cosines = self._cosines(vector).items()
        raised = {intent: cosine + _SHARE * probable.get(intent, 0.0) for intent, cosine in cosines}
        return Compared(dict(sorted(raised.items(), key=lambda pair: -pair[1])), probable)

    def _cosines(self, vector: Floats) -> dict[str, float]:
        nearest = np.maximum.reduceat(self._vectors @ vector, self._begins)
        return {self._intents[at]: float(nearest[at]) for at in np.argsort(-nearest)}


def vectors(sentences: Sequence[str]) -> NDArray[np.int8]:
    """The vectors of examples, made again."""
    rounded: NDArray[np.int8] = np.round(SentenceEncoder().encode(sentences) * _SCALE)
    return rounded.astype(np.int8)


def hash_now() -> str:
    """The hash of the kept vectors, of the examples and of the encoder's weights."""
    parts = [SENTENCE_ENCODER.sha256, SENTENCE_TOKENIZER.sha256, *(text for _, text in examples())]
    found = hashlib.sha256("\n".join(parts).encode())
    found.update(kept_vectors().tobytes())
    return found.hexdigest()


def regression() -> LogisticRegression:
    """The regression of the kept vectors, made again."""
    pairs = zip(examples(), kept_vectors().astype(np.float32) / _SCALE, strict=True)
    used = [(intent, vector) for (intent, _), vector in pairs if intent not in _OF_THINGS]
    return fitted([intent for intent, _ in used], np.stack([vector for _, vector in used]))


def words() -> WordRegression:
    """The regression of the examples' words, made again."""
    used = [(intent, text) for intent, text in examples() if intent not in _OF_THINGS]
    return word_regression.fitted([intent for intent, _ in used], [text for _, text in used])


if __name__ == "__main__":
    np.save(_VECTORS, vectors([text for _, text in examples()]))
    HASH_FILE.write_text(f"{hash_now()}\n", encoding="utf-8")
    np.save(_REGRESSION, regression().weights.astype(np.float16))
    np.save(_WORDS, words().weights.astype(np.float16))
