"""Converts Whisper's tokens to the words that were said. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SURELY_NOISE = 0.8
"""`no_speech` from which the text is discarded, however sure the words are. For noise alone it is
at least 0.85."""

_PERHAPS_NOISE, _SURE_WORDS = 0.6, -0.5
"""`no_speech` from which words count only if their log probability exceeds this. A request in a
noisy kitchen had 0.62."""

_FASTEST_WORDS = 4.5
"""The most words a second in a sentence that is really said twice."""

_AROUND_S = 0.5  # silence in the sound before and after the voice

_PRINTED = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_BYTES = {chr(byte): byte for byte in _PRINTED} | {
    chr(256 + number): byte
    for number, byte in enumerate(byte for byte in range(256) if byte not in set(_PRINTED))
}
"""GPT-2's printable stand-ins for bytes, in which the tokens are written."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One Whisper's hypothesis of a sound.

    Attributes:
        text: The text, with case and punctuation.
        log_probability: Mean over the tokens; 0 is certain.
        no_speech: Probability that the sound is no speech.
        others: Whisper's next best texts.
        close: How many of them are about as likely.
    """

    text: str = ""
    log_probability: float = 0.0
    no_speech: float = 0.0
    others: tuple[str, ...] = ()
    close: int = 0


def text_of(tokens: Sequence[str]) -> str:
    """The text of tokens in GPT-2's byte alphabet; control tokens are left out."""
    letters = "".join(token for token in tokens if not token.startswith("<|"))
    said = bytes(_BYTES[letter] for letter in letters if letter in _BYTES)
    return said.decode(errors="ignore").strip()


def once(text: str, seconds: float) -> str:
    """The text without repetitions for which the sound is too short.

    In a window shorter than the 30 s that it was trained with, Whisper writes a short sentence two
    or three times: "What can you see? What can you see? What".

    Args:
        text: Whisper's text.
        seconds: Length of the sound.
    """
    words = text.split()
    if len(words) <= _FASTEST_WORDS * max(0.2, seconds - _AROUND_S):
        return text
    bare = [re.sub(r"\W", "", word).lower() for word in words]
    for period in range(1, len(words)):
        ends = words[period - 1].endswith((".", "?", "!"))
        if ends and all(bare[at] == bare[at - period] for at in range(period, len(words))):
            return " ".join(words[:period])
    return text


def is_noise(hypothesis: Hypothesis) -> bool:
    """Whether nothing was said, and the words are Whisper's invention."""
    limit = _SURELY_NOISE if hypothesis.log_probability > _SURE_WORDS else _PERHAPS_NOISE
    return not re.search(r"\w", hypothesis.text) or hypothesis.no_speech >= limit
