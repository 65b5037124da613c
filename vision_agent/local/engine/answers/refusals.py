"""What is said when there is no answer: short, not the same twice, with a fitting offer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.engine.answers.tool_words import stem
from vision_agent.local.engine.language.normalisation import normalise

_OFFERS = {
    "tell you colours": "colour",
    "read printed text": "read text say written word letter total price number expire date",
    "read QR codes": "qr code barcode scan link",
    "count things": "count many number",
    "find faces": "face person people who man woman someone anyone smile child",
    "tell what moves": "move motion walk run",
    "tell what changed": "change different new",
    "know again what you teach me": "what know recognise name kind animal show teach where",
}
"""What can be done, and the words of questions after which it is no help to offer it."""

_BEYOND = (
    "That is beyond me, but I can {offers}.",
    "I can't answer that one{either}; open questions need a Gemini key.",
    "Not that one, sorry. Ask me what I can do.",
    "I have no answer to that.",
)

_NOT_CAUGHT = (
    "Sorry, I didn't catch that. I heard: {heard}.",
    "I heard: {heard}. Please say it again in other words.",
    "Still not: {heard}. You can type it, too.",
)


def beyond(question: str, misses: int, *, again: bool = False) -> str:
    """For a question that was understood as words and has no answer here.

    Args:
        question: What was asked.
        misses: How often there was no answer before in this conversation.
        again: Whether the turn before had none.
    """
    asked = {stem(word) for word in normalise(question).split()}
    offers = [
        offer
        for offer, words in _OFFERS.items()
        if not asked & {stem(word) for word in words.split()}
    ]
    return _turn(_BEYOND, misses).format(
        offers=_either(offers[:3]), either=" either" if again else ""
    )


def not_caught(heard: str, misses: int) -> str:
    """For speech that was not understood: what was heard, so that the caller hears why."""
    return _turn(_NOT_CAUGHT, misses).format(heard=heard)


def _turn(sentences: Sequence[str], misses: int) -> str:
    """In order, and then the last two in turns."""
    last = len(sentences) - 1
    return sentences[misses if misses <= last else last - (misses - last) % 2]


def _either(offers: Sequence[str]) -> str:
    return f"{', '.join(offers[:-1])} or {offers[-1]}" if len(offers) > 1 else "".join(offers)
