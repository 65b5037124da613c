"""Sentences in the form in which they are matched. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

MOST_CHARACTERS = 1_000
"""About 200 words, many times the longest request."""

_CONTRACTIONS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(what|who|how|where|there|that)'?s\b", r"\1 is"),
        (r"\b(it|he|she|when|which|one|colou?r)'s\b", r"\1 is"),
        (r"\bi'?m\b", "i am"),
        (r"\b(you|they|we)'re\b", r"\1 are"),
        (r"\bdon't\b", "do not"),
        (r"\bcan't\b", "can not"),
        (r"\b(is|are|was|were|does|did|has|have|had|would|could|should|need)n't\b", r"\1 not"),
        (r"\b(i|you|we|they)'ve\b", r"\1 have"),
        (r"\b(i|you|we|they|he|she|it)'ll\b", r"\1 will"),
        (r"\b(i|you|we|they|he|she)'d\b", r"\1 would"),
        # "5 p.m.", "5 o'clock", and the cat's eyes.
        (r"\b([ap])\.\s?m\b\.?", r"\1m"),
        (r"\bo'clock\b", "oclock"),
        (r"\b([a-z]+)'s\b", r"\1s"),
        (r"\bcolor(s?)\b", r"colour\1"),
        (r"\brecogniz", "recognis"),
        (r"\bmemorize\b", "memorise"),
        (r"\bgray\b", "grey"),
        (r"\bbar-code\b", "barcode"),
        (r"\bqr-code\b", "qr code"),
        (r"\bbye-bye\b", "bye bye"),
    )
]
_OTHERS = re.compile(r"[^a-z0-9 ]+")

_KEPT = 32
"""So many results are kept: what matches a sentence normalises it eight times."""


_FILLERS = (
    "please|and|so|hey|hi|hello|okay|ok|well|but|um|uh|er|hm|hmm|oh|ah|then|sorry|maybe|just"
    "|actually|alright|all right|right|also|listen|now|there|kindly|excuse me|go ahead and"
    "|you know|i mean|yes|yeah|one more thing|quick question"
)
_VERBS = (
    "please|maybe|kindly|just|possibly|tell|describe|read|count|point|look|take|have|let|say"
    "|repeat|find|identify|check|show|name|list|give|scan|explain|warn|alert|notify|watch|stop|be"
    "|speak|talk|remind|set|zoom|guess|help me find|locate|walk|work out|figure out"
)
_FRAMES = re.compile(
    rf"^(?:(?:{_FILLERS}"
    r"|i (?:want|need|would like|would love) (?:you )?to(?: know)?|i wonder(?: if)?"
    r"|do you (?:mind|happen to know|know if|think)|is it possible to|would you mind|any idea"
    rf"|(?:can|could|would|will) you(?= (?:{_VERBS}))"
    r"|(?:(?:tell|inform)(?: me)?|(?:work|figure) out)"
    r"(?= (?:what|which|where|who|how|if|whether|is|are))"
    r"|(?:if|whether)(?= there)|(?:say|check) if(?= there)) )+"
)
_COURTESIES = re.compile(
    r"(?: (?:please|thanks|thank you|for me|to me|exactly|then|would you|will you|can you|could you"
    r"|or not|or what|now|right now|at the moment|you think|again please|actually|though|anyway"
    r"|hon|abeg|mate|pal|my friend|if you can|if you would|if you do not mind))+$"
)


def plain(sentence: str) -> str:
    """A normalised sentence without fillers and polite frames: "could you please tell me …"."""
    return _COURTESIES.sub("", _FRAMES.sub("", f"{sentence} ", count=1).strip()) or sentence


def normalise(text: str) -> str:
    """Lower case, contractions expanded, British spelling, single spaces, no punctuation.

    A longer text is cut after `MOST_CHARACTERS`, so that matching takes milliseconds at most.
    """
    return _normalised(text[:MOST_CHARACTERS])


@lru_cache(_KEPT)
def _normalised(text: str) -> str:
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    return " ".join(_OTHERS.sub(" ", text).split())
