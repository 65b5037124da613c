"""Classes of vectors by logistic regression."""

from __future__ import annotations

import numpy as np
import pytest

from vision_agent.local.engine.language.logistic_regression import fitted


def test_the_regression_tells_groups_of_vectors_apart_and_is_unsure_between_them() -> None:
    random = np.random.default_rng(1)
    centres = np.eye(3, 8, dtype=np.float32)
    vectors = np.repeat(centres, (40, 10, 10), axis=0)
    vectors += random.normal(size=vectors.shape).astype(np.float32) / 10
    made = fitted(["see"] * 40 + ["read"] * 10 + ["-"] * 10, vectors)
    assert made.intents == ("-", "read", "see")
    for centre, intent in zip(centres, ("see", "read", "-"), strict=True):
        probable = made.probabilities(centre)
        assert sum(probable.values()) == pytest.approx(1, abs=1e-5)
        assert probable[intent] > 0.9
    between = made.probabilities((centres[0] + centres[1]) / 2)
    assert max(between.values()) < 0.9
