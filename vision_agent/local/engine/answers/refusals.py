"""Refusals: short, never the same twice in a row, with a fitting offer. Pure."""

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
"""Offers, and words of questions after which an offer would not help."""

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
    """The refusal of a question that has no answer here.

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


def not_caught(words: str, misses: int) -> str:
    """The question for speech that was not understood, with the words that were recognised."""
    return _turn(_NOT_CAUGHT, misses).format(heard=words)


def _turn(sentences: Sequence[str], misses: int) -> str:
    """The sentences in order, then the last two alternately."""
    last = len(sentences) - 1
    return sentences[misses if misses <= last else last - (misses - last) % 2]


def _either(offers: Sequence[str]) -> str:
    return f"{', '.join(offers[:-1])} or {offers[-1]}" if len(offers) > 1 else "".join(offers)
