"""What kind of sentence it is: a question, a request, "don't …", an answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.contract import Request
from vision_agent.local.engine.answers.tool_words import ASKING
from vision_agent.local.engine.language.normalisation import normalise

_SETTERS = frozenset(
    """set save add remember store create delete remove send write register update put cancel
    insert append rename schedule book order buy note record log submit""".split()  # noqa: SIM905
)
_TELLERS = frozenset(
    "status info list details history count price prices total number hours".split()  # noqa: SIM905
)
"""Last words of names that begin with a noun, not a verb: `order_status`."""

_QUESTIONS = frozenset("what who whose whom where which why when how".split())  # noqa: SIM905
_AUXILIARIES = frozenset(
    "is are was were am did does has have had".split()  # noqa: SIM905
)
_PERSONS = frozenset("i you we they he she it".split())  # noqa: SIM905
_LEADS = frozenset("please and so hey okay ok well but hello hi now no".split())  # noqa: SIM905
_BEFORE_NOT = frozenset(
    "please and so hey okay ok but i we you should must no want really".split()  # noqa: SIM905
)


def without_negation(words: Sequence[str]) -> list[str] | None:
    """The request that a sentence negates: "do not remember my name" → "remember my name".

    None if it negates nothing: "do not forget to …" and "why do not you …" are requests.
    """
    at = 0
    while at < len(words) and words[at] in _BEFORE_NOT:
        at += 1
    rest = list(words[at:])
    if rest[:2] in (["do", "not"], ["can", "not"], ["must", "not"], ["should", "not"]):
        rest = rest[2:]
    elif rest[:1] in (["never"], ["not"]):
        rest = rest[1:]
    else:
        return None
    if not rest or rest[0] in ("forget", "let", "you", "hear", "see", "know", "mind"):
        return None
    while rest and rest[0] in ("want", "you", "to", "ever"):
        rest = rest[1:]
    return rest


def is_question(words: Sequence[str]) -> bool:
    """Whether a sentence is a question rather than a request."""
    at = 0
    while at < len(words) and words[at] in _LEADS:
        at += 1
    first, second = (*words[at : at + 2], "", "")[:2]
    if first in ("what", "how") and second == "about":
        return False
    if first == "why" and second in ("not", "do"):
        return False
    if first in ("when", "whenever"):
        return second in _AUXILIARIES | {"do", "will", "should", "can"}
    if first == "do":
        return second in _PERSONS
    if list(words[at : at + 4]) == ["is", "it", "possible", "to"] or second == "able":
        return False
    return first in _QUESTIONS or first in _AUXILIARIES


def is_addressed(text: str) -> bool:
    """Whether a sentence begins like a question or a request."""
    words = normalise(text).split()
    return bool(words) and words[0] in ASKING - {"is", "are", "do", "does", "make", "list"}


def may_answer(request: Request, text: str) -> bool:
    """Whether a request may be the answer to an open question: "for the mug", "in ten minutes"."""
    free = request.loose and not is_question(normalise(text).split())
    return free or request.intent in ("teach", "sum")


def sets_something(name_words: Sequence[str]) -> bool:
    """Whether a tool with this name changes stored data: `remember_name`, `add_item`."""
    return bool(name_words) and name_words[0] in _SETTERS and name_words[-1] not in _TELLERS
