"""Multinomial logistic regression on the words of sentences and on pairs of neighbours.

The encoder's vectors tell the subject of a sentence; its words tell how the question is asked:
"what's it say" and "what's it called" are near in meaning. Words and pairs are hashed, so that no
vocabulary is kept.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BUCKETS = 8192
_WEIGHT = 6.0
"""The weight of all words of a sentence together."""

_EPOCHS, _BATCH, _RATE = 8, 32, 0.15
_PENALTY, _FIRST_SQUARE = 2e-5, 0.01  # AdaGrad's (Duchi, Hazan and Singer 2011)

Floats = NDArray[np.float32]
Buckets = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WordRegression:
    """Fitted weights.

    Attributes:
        intents: The intents, sorted.
        weights: A row for each bucket, a column for each intent.
    """

    intents: tuple[str, ...]
    weights: Floats

    def probabilities(self, sentence: str) -> dict[str, float]:
        """How probable each intent is for a normalised sentence."""
        at = buckets(sentence)
        odds = _odds(self.weights[at].sum(0, keepdims=True) * _share(len(at)))[0]
        return dict(zip(self.intents, odds.tolist(), strict=True))


def buckets(sentence: str) -> Buckets:
    """The buckets of a sentence's words and pairs, including its beginning and end."""
    words = ["^", *sentence.split(), "$"]
    grams = {*words, *(f"{one} {other}" for one, other in itertools.pairwise(words))}
    return np.array(sorted({zlib.crc32(gram.encode()) % _BUCKETS for gram in grams}))


def fitted(intents: Sequence[str], sentences: Sequence[str]) -> WordRegression:
    """The regression of examples; takes 3 s. Examples of a rare intent weigh more.

    Args:
        intents: The intent of each example.
        sentences: The normalised sentence of each example.
    """
    names = sorted(set(intents))
    which = np.array([names.index(intent) for intent in intents])
    weight = (1 / np.sqrt(np.bincount(which)))[which].astype(np.float32)
    weight /= weight.mean()
    wanted = np.eye(len(names), dtype=np.float32)
    found = [buckets(sentence) for sentence in sentences]
    weights = np.zeros((_BUCKETS, len(names)), np.float32)
    squares = np.full_like(weights, _FIRST_SQUARE)
    order = np.random.default_rng(0)
    for _ in range(_EPOCHS):
        shuffled = order.permutation(len(found))
        for batch in np.split(shuffled, range(_BATCH, len(found), _BATCH)):
            lengths = [len(found[one]) for one in batch]
            used, columns = np.unique(
                np.concatenate([found[n] for n in batch]), return_inverse=True
            )
            rows = np.zeros((len(batch), len(used)), np.float32)
            rows[np.repeat(np.arange(len(batch)), lengths), columns] = np.repeat(
                [_share(length) for length in lengths], lengths
            )
            wrong = (_odds(rows @ weights[used]) - wanted[which[batch]]) * weight[batch][:, None]
            slope = rows.T @ wrong / len(batch) + _PENALTY * weights[used]
            squares[used] += slope**2
            weights[used] -= _RATE * slope / np.sqrt(squares[used])
    return WordRegression(tuple(names), weights)


def _share(count: int) -> float:
    """The weight of one of `count` words and pairs."""
    return _WEIGHT / float(np.sqrt(count))


def _odds(scores: Floats) -> Floats:
    odds: Floats = np.exp(scores - scores.max(1, keepdims=True))
    odds /= odds.sum(1, keepdims=True)
    return odds
