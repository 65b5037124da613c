"""Divides a sentence by script: hibari reads Latin letters, espeak-ng reads the others.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from vision_agent.local.engine.speech.text import Sentence
from vision_agent.local.engine.speech.voices import ENGLISH

# The first word of a letter's Unicode name, and the language of espeak-ng that reads the script.
# If several languages share a script, the one with the most readers stands for it.
_LANGUAGES = {
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "BENGALI": "bn",
    "CJK": "cmn",
    "CYRILLIC": "ru",
    "DEVANAGARI": "hi",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
}
_KANA = re.compile(r"[\u3040-\u30ff]")
_RUN_PAUSE_MS = 40
# hibari ignores other symbols, such as emoji.
_SAID_BY_HIBARI = re.compile(
    r"[^\W_]|[%&@#+=$<>*/^~\u20ac\u00a3\u00a5\u00b0\u00b1\u00d7\u00f7\u00bc-\u00be\u2192]"
)


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a sentence that one synthesiser says.

    Attributes:
        text: What to say.
        pause_ms: The silence after it.
        languages: espeak-ng languages to try, the best first.
        hibari: Whether hibari says it; espeak-ng otherwise.
    """

    text: str
    pause_ms: int
    languages: tuple[str, ...]
    hibari: bool


def runs(sentence: Sentence, languages: tuple[str, ...]) -> Iterator[Run]:
    """Splits a sentence.

    Args:
        sentence: Not longer than `text.MAX_SENTENCE_CHARS`.
        languages: espeak-ng languages of the conversation, the best first. Only English is split.

    Yields:
        The parts in order. Words of other scripts are parts of their own, and so is a sentence
        that consists of symbols.
    """
    if not languages[0].startswith("en"):
        yield Run(sentence.text, sentence.pause_ms, languages, hibari=False)
        return
    if not _SAID_BY_HIBARI.search(sentence.text):
        yield Run(sentence.text, sentence.pause_ms, languages, hibari=False)
        return
    words = [(_language(word), word) for word in sentence.text.split()]
    parts = [
        (language, " ".join(word for _, word in group))
        for language, group in groupby(words, key=lambda each: each[0])
    ]
    parts = [part for part in parts if part[0] or _SAID_BY_HIBARI.search(part[1])]
    for number, (language, text) in enumerate(parts, 1):
        pause_ms = sentence.pause_ms if number == len(parts) else _RUN_PAUSE_MS
        tried = (language, *languages) if language else languages
        yield Run(text, pause_ms, tried, hibari=language is None)


def _language(word: str) -> str | None:
    """The language of espeak-ng that reads a word; None if hibari does."""
    for letter in word:
        if letter.isascii() or not letter.isalpha():
            continue
        script = unicodedata.name(letter, "").partition(" ")[0]
        if script == "CJK" and _KANA.search(word):
            return "ja"
        if script in _LANGUAGES:
            return _LANGUAGES[script]
        if script not in ("LATIN", "MICRO", "FEMININE", "MASCULINE", "FULLWIDTH", "MODIFIER"):
            return ENGLISH
    return None
