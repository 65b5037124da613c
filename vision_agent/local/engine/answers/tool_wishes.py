"""Tells the kind of a sentence: a question, a request, "don't …", an answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.contract import Request
from vision_agent.local.engine.answers.tool_words import ASKING
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.sentence_form import is_question

_SETTERS = frozenset(
    """set save add remember store create delete remove send write register update put cancel
    insert append rename schedule book order buy note record log submit""".split()  # noqa: SIM905
)
_TELLERS = frozenset(
    "status info list details history count price prices total number hours".split()  # noqa: SIM905
)
"""Last words of names that begin with a noun, not a verb: `order_status`."""


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
