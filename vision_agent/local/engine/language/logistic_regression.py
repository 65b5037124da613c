"""Multinomial logistic regression on the vectors of sentences: how probable each intent is.

The nearest example is one sentence; the regression weighs all of them, and learns which directions
of the encoder's space tell intents apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PENALTY = 1e-4
_STEPS, _RATE = 200, 0.2
_MEAN_KEPT, _SQUARE_KEPT, _TINY = 0.9, 0.99, 1e-8  # Adam's (Kingma and Ba 2014)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LogisticRegression:
    """Fitted weights.

    Attributes:
        intents: The intents, sorted.
        weights: A column for each intent; the last row holds the intercepts.
    """

    intents: tuple[str, ...]
    weights: Floats

    def probabilities(self, vector: Floats) -> dict[str, float]:
        """How probable each intent is for the vector of a sentence."""
        odds = np.exp(_scores(vector[None], self.weights)[0])
        return dict(zip(self.intents, (odds / odds.sum()).tolist(), strict=True))


def fitted(intents: Sequence[str], vectors: Floats) -> LogisticRegression:
    """The regression of examples; takes 2 s. Examples of a rare intent weigh more.

    Args:
        intents: The intent of each example.
        vectors: The vector of each example, one a row.
    """
    names = sorted(set(intents))
    which = np.array([names.index(intent) for intent in intents])
    weight = (1 / np.sqrt(np.bincount(which)))[which].astype(np.float32)
    weight /= weight.sum()
    rows = np.concatenate((vectors, np.ones((len(vectors), 1), np.float32)), axis=1)
    wanted = np.eye(len(names), dtype=np.float32)[which]
    weights = np.zeros((rows.shape[1], len(names)), np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        odds = np.exp(_scores(vectors, weights))
        slope = rows.T @ ((odds / odds.sum(1, keepdims=True) - wanted) * weight[:, None])
        slope[:-1] += _PENALTY * weights[:-1]
        mean = _MEAN_KEPT * mean + (1 - _MEAN_KEPT) * slope
        square = _SQUARE_KEPT * square + (1 - _SQUARE_KEPT) * slope**2
        root = np.sqrt(square / (1 - _SQUARE_KEPT**step)) + _TINY
        weights -= (_RATE / (1 - _MEAN_KEPT**step)) * mean / root
    return LogisticRegression(tuple(names), weights)


def _scores(vectors: Floats, weights: Floats) -> Floats:
    """Log odds of each intent, shifted so that the largest is 0."""
    scores: Floats = vectors @ weights[:-1] + weights[-1]
    scores -= scores.max(1, keepdims=True)
    return scores
