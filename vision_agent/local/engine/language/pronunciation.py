"""How an unknown word is probably said: letters to phones, by rule. Pure.

The recogniser's dictionary holds 130,000 words; this is for a name that it lacks. It is a rough
guess, as anybody's is who reads a strange name aloud.
"""

from __future__ import annotations

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
