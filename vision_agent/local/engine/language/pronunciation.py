"""Phones of words that are in no dictionary, and the phone distance of two hypotheses. Pure.

The recogniser's dictionary holds 130,000 words; the phones of another name are a rough guess by
spelling rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

_RULES: tuple[tuple[str, str], ...] = (
    *(("tion", "SH AH N"), ("sch", "SH"), ("tch", "CH"), ("igh", "AY"), ("eau", "OW")),
    *(
        ("ch", "CH"),
        ("sh", "SH"),
        ("th", "TH"),
        ("ph", "F"),
        ("wh", "W"),
        ("ck", "K"),
        ("ng", "NG"),
    ),
    *(("qu", "K W"), ("gh", "G"), ("kn", "N"), ("wr", "R"), ("ts", "T S"), ("tz", "T S")),
    *(("ee", "IY"), ("ea", "IY"), ("ie", "IY"), ("oo", "UW"), ("ou", "AW"), ("ow", "OW")),
    *(("ai", "EY"), ("ay", "EY"), ("ei", "AY"), ("ey", "IY"), ("oi", "OY"), ("oy", "OY")),
    *(("au", "AO"), ("aw", "AO"), ("oa", "OW"), ("ue", "UW"), ("ew", "UW"), ("er", "ER")),
    *(("ir", "ER"), ("ur", "ER"), ("ar", "AA R"), ("or", "AO R")),
    *(("a", "AE"), ("b", "B"), ("c", "K"), ("d", "D"), ("e", "EH"), ("f", "F"), ("g", "G")),
    *(("h", "HH"), ("i", "IH"), ("j", "JH"), ("k", "K"), ("l", "L"), ("m", "M"), ("n", "N")),
    *(("o", "OW"), ("p", "P"), ("q", "K"), ("r", "R"), ("s", "S"), ("t", "T"), ("u", "AH")),
    *(("v", "V"), ("w", "W"), ("x", "K S"), ("y", "Y"), ("z", "Z")),
)
"""Letters and their phones (ARPAbet), the longest first."""

_AT_THE_END = {"a": "AH", "e": "", "i": "IY", "o": "OW", "u": "UW", "y": "IY"}


def spelled_phones(word: str) -> str:
    """The phones of a word of the letters a to z, separated by spaces."""
    phones: list[str] = []
    at = 0
    while at < len(word):
        if at and word[at] == word[at - 1] and word[at] not in "eo":
            at += 1  # a doubled letter is said once
            continue
        if at == len(word) - 1 and at and word[at] in _AT_THE_END:
            phones += _AT_THE_END[word[at]].split()
            break
        if word[at] == "c" and word[at + 1 : at + 2] in ("e", "i", "y"):
            phones.append("S")
            at += 1
            continue
        letters, said = next((rule for rule in _RULES if word.startswith(rule[0], at)), ("?", ""))
        phones += said.split()
        at += len(letters)
    return " ".join(phones) or "AH"


def phone_distance(
    first: str, second: str, pronounce: Callable[[str], Sequence[str] | None]
) -> float:
    """How differently two word sequences sound.

    Args:
        first: Words separated by spaces, as a decoder wrote them.
        second: Words to compare them with.
        pronounce: A word's phones, or None for a word without a pronunciation.

    Returns:
        Edit distance of the phones divided by the longer length: 0 the same, 1 nothing in common.
    """
    a = [phone for word in first.split() for phone in pronounce(word) or (word,)]
    b = [phone for word in second.split() for phone in pronounce(word) or (word,)]
    if not a or not b:
        return 0.0 if a == b else 1.0
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right)),
            )
    return row[-1] / max(len(a), len(b))
