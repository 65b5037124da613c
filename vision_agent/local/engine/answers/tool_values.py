"""Which words may be the value of a tool's argument, and their original spelling. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vision_agent.local.engine.answers.tool_schema import Parameter, Tool
from vision_agent.local.engine.answers.tool_words import split_name, stem

FILLERS = frozenset("like today currently think really exactly".split())  # noqa: SIM905
"""Words in a request that do not matter for the choice of the tool."""

QUESTION_WORDS = frozenset(
    """what who where when why how which is are was do does did can could will would""".split()  # noqa: SIM905
)
"""Words that begin no answer."""

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
"""Words in the names of tools and arguments whose values are whole sentences."""

_FREE_STEMS = frozenset(stem(word) for word in _FREE_TEXT)
_MOST_WORDS = 6
_TIMES = frozenset("time when date datetime day due deadline".split())  # noqa: SIM905
_SECOND_QUANTITY = re.compile(
    r" and (a|an|one|two|three|four|five|six|seven|eight|nine|ten|some|\d+) "
)


def takes_sentences(tool: Tool, parameter: Parameter) -> bool:
    """Whether an argument is any text, like that of a note or a reminder."""
    words = (*split_name(tool.name), *parameter.words)
    return bool(_FREE_STEMS & {stem(word) for word in words})


def says_something(parameter: Parameter, text: str) -> bool:
    """Whether any of the words can be a value: "like" and "today" are not the name of a city."""
    return bool(_TIMES & set(parameter.words)) or not set(text.split()) <= _NO_VALUE


def looks_like_value(words: Sequence[str]) -> bool:
    """Whether an answer is a name rather than a sentence."""
    if not words or len(words) > _MOST_WORDS:
        return False
    return words[0] not in _SUBJECTS and not _VERBS & set(words[1:])


def without_lead(parameter: Parameter, text: str) -> str:
    """A value without the words that name its argument: "my name is anna" → "anna"."""
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
    """Whether a text that accompanies a number names a second amount: "milk and a loaf"."""
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
"""The contracted forms of words."""


def as_written(value: Any, said: str) -> Any:
    """A text or a list of texts in its original spelling: capitals, punctuation, contractions.

    Args:
        value: The value, taken from the normalised sentence.
        said: The sentence as it was written. If the value's words are not adjacent in it, the value
            is returned unchanged.
    """
    if isinstance(value, list):
        return [as_written(one, said) for one in value]
    if not isinstance(value, str) or not value.strip():
        return value
    pattern = ""
    for word in value.split():
        # Normalisation makes "bobs", "colour" and "do not" of "Bob's", "color" and "don't".
        letters = re.sub(r"(?<=\w)s$", f"{_APOSTROPHE}?s", word).replace("colour", "colou?r")
        one = rf"[^a-z0-9]+{letters}" if pattern else letters
        short = _SHORT.get(word) if pattern else None
        pattern += f"(?:{one}|{short})" if short else one
    found = re.search(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", said, flags=re.IGNORECASE)
    return " ".join(found[0].split()) if found else value
