"""Which words may be the value of a tool's argument, and how they were written. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vision_agent.local.engine.answers.tool_schema import Parameter, Tool
from vision_agent.local.engine.answers.tool_words import split_name, stem

FILLERS = frozenset("like today currently think really exactly".split())  # noqa: SIM905
"""Words beside a request that change nothing about which tool is meant."""

QUESTION_WORDS = frozenset(
    """what who where when why how which is are was do does did can could will would""".split()  # noqa: SIM905
)
"""What no answer begins with."""

_NO_VALUE = FILLERS | frozenset(
    """now tomorrow tonight yesterday here there outside please thanks again me you it one ones this
    that these those i we they he she so well then just very much be do does did going to
    the a an of in on at is are my your""".split()  # noqa: SIM905
)
_SUBJECTS = frozenset(
    "i we you he she they it this that these those there".split()  # noqa: SIM905
)
_VERBS = frozenset(
    """is are was were am be been do does did has have had will would can could should must may
    might not never""".split()  # noqa: SIM905
)
_FREE_TEXT = frozenset(
    """text note memo message body reason description comment content question query title remind
    reminder say write log record search report post translate watch feedback mail
    email""".split()  # noqa: SIM905
)
"""Words in the name of a tool or of an argument that takes whole sentences."""

_FREE_STEMS = frozenset(stem(word) for word in _FREE_TEXT)
_MOST_WORDS = 6
_TIMES = frozenset("time when date datetime day due deadline".split())  # noqa: SIM905
_SECOND_QUANTITY = re.compile(
    r" and (a|an|one|two|three|four|five|six|seven|eight|nine|ten|some|\d+) "
)


def takes_sentences(tool: Tool, parameter: Parameter) -> bool:
    """Whether an argument is text of any kind, as a note's or a reminder's is."""
    words = (*split_name(tool.name), *parameter.words)
    return bool(_FREE_STEMS & {stem(word) for word in words})


def says_something(parameter: Parameter, text: str) -> bool:
    """Whether any of the words can be a value: "like" and "today" name no city."""
    return bool(_TIMES & set(parameter.words)) or not set(text.split()) <= _NO_VALUE


def looks_like_value(words: Sequence[str]) -> bool:
    """Whether an answer names something, and is no sentence of its own."""
    if not words or len(words) > _MOST_WORDS:
        return False
    return words[0] not in _SUBJECTS and not _VERBS & set(words[1:])


def without_lead(parameter: Parameter, text: str) -> str:
    """A value without the words that only name its argument: "my name is anna" → "anna"."""
    before, verb, after = text.partition(" is ")
    own = {"my", "the", "her", "his", "its", "our", *parameter.words}
    return after if verb and after and set(before.split()) <= own else text


def trimmed(parameter: Parameter, text: str) -> str:
    """A value without fillers at either end: "like in paris today" → "paris"."""
    if _TIMES & set(parameter.words):
        return text
    words = text.split()
    while words and words[-1] in FILLERS:
        words.pop()
    return " ".join(words)


def has_second_quantity(text: str) -> bool:
    """Whether text that stands beside one number names a further amount: "milk and a loaf"."""
    return bool(_SECOND_QUANTITY.search(f" {text} "))


_APOSTROPHE = "['\N{RIGHT SINGLE QUOTATION MARK}]"
_SHORT = {
    "not": f"n?{_APOSTROPHE}t",
    "am": f"{_APOSTROPHE}m",
    "is": f"{_APOSTROPHE}s",
    "are": f"{_APOSTROPHE}re",
    "have": f"{_APOSTROPHE}ve",
    "will": f"{_APOSTROPHE}ll",
    "would": f"{_APOSTROPHE}d",
}
"""What stands for a word in a contraction."""


def as_written(value: Any, said: str) -> Any:
    """A text, or a list of texts, as it was written: capitals, punctuation, contractions.

    Args:
        value: Taken from the normalised sentence.
        said: The sentence as it was written. Where it does not hold the value's words,
            as they were brought together, the value stays as it is.
    """
    if isinstance(value, list):
        return [as_written(one, said) for one in value]
    if not isinstance(value, str) or not value.strip():
        return value
    pattern = ""
    for word in value.split():
        # "Bob's", "color" and "don't" are "bobs", "colour" and "do not" where they are normalised.
        letters = re.sub(r"(?<=\w)s$", f"{_APOSTROPHE}?s", word).replace("colour", "colou?r")
        one = rf"[^a-z0-9]+{letters}" if pattern else letters
        short = _SHORT.get(word) if pattern else None
        pattern += f"(?:{one}|{short})" if short else one
    found = re.search(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", said, flags=re.IGNORECASE)
    return " ".join(found[0].split()) if found else value
