"""Text from Whisper's tokens, without the model."""

import pytest

from vision_agent.local.engine.hearing.whisper_text import Hypothesis, is_noise, once, text_of


def test_tokens_are_bytes_in_disguise() -> None:
    tokens = ["<|startoftranscript|>", "ĠA", "Ġcaf", "Ã", "©", "?", "<|endoftext|>"]
    assert text_of(tokens) == "A café?"


@pytest.mark.parametrize(
    ("text", "seconds", "said"),
    [
        ("What can you see? What can you see? What", 1.6, "What can you see?"),
        ("Read this. Read this.", 1.2, "Read this."),
        # The sound is long enough for these repetitions.
        ("Stop. Stop.", 2.0, "Stop. Stop."),
        ("What can you see? What can you see?", 3.5, "What can you see? What can you see?"),
        ("I can not do what I can", 1.5, "I can not do what I can"),
        ("", 1.0, ""),
    ],
)
def test_a_sentence_is_said_again_only_if_there_was_time(
    text: str, seconds: float, said: str
) -> None:
    assert once(text, seconds) == said


def test_punctuation_alone_and_improbable_speech_are_noise() -> None:
    assert is_noise(Hypothesis("..."))
    assert is_noise(Hypothesis("Thank you.", no_speech=0.8))
    assert not is_noise(Hypothesis("Thank you.", no_speech=0.3))
    assert is_noise(Hypothesis("Thank you.", -0.7, no_speech=0.65))
    assert not is_noise(Hypothesis("Count the cups.", -0.4, no_speech=0.65))
