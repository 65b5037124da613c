"""The probability of each intent, given the words of a sentence."""

from __future__ import annotations

import pytest

from vision_agent.local.engine.language.word_regression import buckets, fitted

_SAID = {
    "count": ["how many cups", "how many dogs are there", "count the cups"],
    "where": ["where is the cup", "where are the dogs", "find the cup"],
    "-": ["the cup is mine", "dogs are nice"],
}


def test_the_words_that_only_one_intent_has_tell_it() -> None:
    pairs = [(intent, text) for intent, texts in _SAID.items() for text in texts]
    regression = fitted([intent for intent, _ in pairs], [text for _, text in pairs])
    for sentence, intent in (("how many horses", "count"), ("where are the horses", "where")):
        probable = regression.probabilities(sentence)
        assert sum(probable.values()) == pytest.approx(1)
        assert max(probable, key=probable.__getitem__) == intent


def test_neighbours_and_the_ends_of_a_sentence_count() -> None:
    assert set(buckets("red one")) != set(buckets("one red"))
    assert set(buckets("one")) < set(buckets("one red")) | set(buckets("one"))
    assert len(buckets("one red")) == 7  # two words, both ends, and three pairs
