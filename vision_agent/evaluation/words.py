"""Finds phrases in a transcript: by whole words, without case and punctuation. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_QUOTES = dict.fromkeys((0x2018, 0x2019, 0x02BC), "'")
# Scripts that are written without spaces: each character counts as a word.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # CJK, kana
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def words_of(text: str) -> list[str]:
    """Split a text into its words, case-folded, in compatibility form (NFKC)."""
    words: list[str] = []
    word = ""
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold()
    for index, char in enumerate(text):
        inside = word and char in "'.," and text[index + 1 : index + 2].isalnum()
        if any(low <= ord(char) <= high for low, high in _UNSPACED) and char.isalnum():
            words += [word, char]
            word = ""
        elif char.isalnum() or unicodedata.category(char)[0] == "M":
            word += char
        elif inside and (char == "'" or (word[-1].isdigit() and text[index + 1].isdigit())):
            word += char  # don't, 3.50
        else:
            words.append(word)
            word = ""
    return [each for each in (*words, word) if each]


def find_phrase(phrase: str, words: Sequence[str], begin: int = 0) -> int | None:
    """Return where a phrase ends in a sequence of words; None if it is not in it.

    Args:
        phrase: What to look for.
        words: See `words_of`.
        begin: The first word to look at.
    """
    wanted = words_of(phrase)
    for start in range(begin, len(words) - len(wanted) + 1):
        if words[start : start + len(wanted)] == wanted:
            return start + len(wanted)
    return None
