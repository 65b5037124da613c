"""The intents table as a JSGF grammar.

JSGF 1.0 (W3C note of 5 June 2000) is what pocketsphinx reads.
"""

from __future__ import annotations

from collections.abc import Collection

from vision_agent.local.engine.language.intents import COURTESY, GREETING, INTENTS
from vision_agent.local.engine.language.phrase_rules import RULES

EXTRA_WORDS = {"qr": "K Y UW AA R", "barcode": "B AA R K OW D"}
"""Pronunciations (ARPAbet) of words that the dictionary does not hold."""

DECOYS = (
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
"""Words that sound like a request of one or two words. They are in the grammar so that it has a
better match for them. None sounds like "stop": stopping when "staff" was said does little harm; not
stopping when asked to does much."""

_SPELLED = {"q": "q.", "r": "r.", "recognise": "recognize", "memorise": "memorize"}
"""The dictionary has a dot after spelled letters, and American spelling."""


def jsgf(names: Collection[str] = (), agents: Collection[str] = ()) -> str:
    """The whole grammar: an optional greeting, one phrase of the table, an optional courtesy.

    Args:
        names: Names of taught things, besides the vocabulary; each word must have a pronunciation.
        agents: Names of agents that a caller can ask for; each word must have a pronunciation.
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
    """A hypothesis without dictionary marks like ``q.`` and ``read(2)``."""
    words = []
    for word in hypothesis.split():
        if word.startswith(("<", "[", "+")):
            continue
        word = word.split("(")[0]
        words.append(word[:-1] if len(word) == 2 and word.endswith(".") else word)
    return " ".join(words)


def _words(phrase: str) -> str:
    return " ".join(_SPELLED.get(token, token) for token in phrase.split())
