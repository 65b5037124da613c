"""The intents table as a JSGF grammar, and how far apart two hypotheses sound.

JSGF 1.0 (W3C note of 5 June 2000) is what pocketsphinx reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from vision_agent.local.engine.language.intents import COURTESY, GREETING, INTENTS, RULES

AGREEMENT = 0.45
"""Largest normalised phone distance at which the grammar is believed.

Measured on 160 real commands and on off-topic speech: 79 % right, 4 % wrong, and no off-topic
speech accepted; 0.65 would accept 2 % of it.
"""

SECOND_AGREEMENT = 0.19
"""The same against the nearest of the general model's ten best hypotheses: it must be all but
the same, for among ten there is easily one that is merely near.

At 0.15 "say that again" in the engine's own voice was not understood (0.182).
"""

EXTRA_WORDS = {"qr": "K Y UW AA R", "barcode": "B AA R K OW D"}
"""Pronunciations (ARPAbet) of words that the dictionary does not hold."""

DECOYS = (
    *("stuff", "staff", "start", "step", "top", "shop", "stock", "stay", "store", "state"),
    *(
        "tell",
        "no",
        "oh",
        "how",
        "hair",
        "here",
        "they",
        "day",
        "high school",
        "my",
        "why",
        "by the",
    ),
    *("i", "pie", "tie", "five", "things", "part", "partner"),
    *("quite", "quick", "white", "science", "since", "rough", "in fact"),
    *("good luck", "good night", "good day", "good boy", "good job", "okay then", "never again"),
    *("shut it", "shot", "yellow", "all right", "not now", "of course"),
)
"""What sounds like a command of one or two words and is none, listened for so that the grammar has
something better to hear: "staff" was heard as "stop" by both decoders."""

_SPELLED = {"q": "q.", "r": "r.", "recognise": "recognize", "memorise": "memorize"}
"""The dictionary writes spelled letters with a dot, and American."""


def jsgf(names: Collection[str] = (), agents: Collection[str] = ()) -> str:
    """The whole grammar: an optional greeting, one phrase of the table, an optional courtesy.

    Args:
        names: What things have been taught as, besides the vocabulary; each word must have a
            pronunciation.
        agents: Whom one can ask for, likewise.
    """
    taught = "".join(f" | {name}" for name in sorted(names))
    lines = ["#JSGF V1.0;", "grammar vision;"]
    rules = {**RULES, "name": RULES["name"] + taught}
    if names:
        rules["target"] += f" | (the | a | my | our) ({' | '.join(sorted(names))})"
    intents = [intent for intent in INTENTS if agents or "<agent>" not in intent.phrases[0]]
    rules["agent"] = " | ".join(sorted(agents)) or rules["agent"]
    lines += [f"<{name}> = {_words(rule)};" for name, rule in rules.items()]
    lines.append(f"<greeting> = {_words(GREETING)};")
    lines.append(f"<courtesy> = {_words(COURTESY)};")
    for intent in intents:
        alternatives = " | ".join(f"( {_words(phrase)} )" for phrase in intent.phrases)
        lines.append(f"<ask_{intent.name}> = {alternatives};")
    requests = " | ".join(f"<ask_{intent.name}>" for intent in intents)
    lines.append(f"<decoy> = {' | '.join(DECOYS)};")
    lines.append(f"public <request> = [ <greeting> ] ( {requests} ) [ <courtesy> ] | <decoy>;")
    return "\n".join(lines) + "\n"


def plain_words(hypothesis: str) -> str:
    """A hypothesis as one would write it: dictionary marks like ``q.`` and ``read(2)`` removed."""
    words = []
    for word in hypothesis.split():
        if word.startswith(("<", "[", "+")):
            continue
        word = word.split("(")[0]
        words.append(word[:-1] if len(word) == 2 and word.endswith(".") else word)
    return " ".join(words)


def phone_distance(
    first: str, second: str, pronounce: Callable[[str], Sequence[str] | None]
) -> float:
    """How differently two word sequences sound.

    Args:
        first: Words separated by spaces, as a decoder wrote them.
        second: Likewise.
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


def _words(phrase: str) -> str:
    return " ".join(_SPELLED.get(token, token) for token in phrase.split())
