"""The stored vectors and regressions are those of the examples."""

from __future__ import annotations

import numpy as np
import pytest

from vision_agent.local.engine.language import nearest_examples
from vision_agent.local.engine.language.nearest_examples import examples, vectors


def test_the_kept_vectors_fit_the_examples() -> None:
    texts = [text for _, text in examples()]
    kept = nearest_examples.kept_vectors()
    assert len(kept) == len(texts)
    # The hash shows from which examples and weights they were computed. A sample shows that the
    # code still computes the same vectors.
    assert nearest_examples.HASH_FILE.read_text().strip() == nearest_examples.hash_now()
    by_length = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    again = [*range(0, len(texts), 20), *by_length[:20], *by_length[-20:]]
    made = vectors([texts[at] for at in again])
    assert abs(kept[again].astype(int) - made.astype(int)).max() <= 1


def test_the_kept_regressions_are_those_of_the_examples() -> None:
    of_words, of_words_made = nearest_examples.kept_words(), nearest_examples.words()
    assert of_words.intents == of_words_made.intents
    for _, text in examples()[::20]:
        expected = of_words_made.probabilities(text)
        for intent, probability in of_words.probabilities(text).items():
            assert probability == pytest.approx(expected[intent], abs=0.03)
    kept, made = nearest_examples.kept_regression(), nearest_examples.regression()
    assert kept.intents == made.intents
    rows = nearest_examples.kept_vectors()[::20].astype(np.float32) / 127
    for row in rows:
        expected = made.probabilities(row)
        for intent, probability in kept.probabilities(row).items():
            assert probability == pytest.approx(expected[intent], abs=0.03)
