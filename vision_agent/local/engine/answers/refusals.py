"""Refusals: short, varied, and with a suitable offer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.engine.answers.tool_words import stem
from vision_agent.local.engine.language.normalisation import normalise

_OFFERS = {
    "tell you colours": "colour",
    "read printed text": "read text say written word letter total price number expire date",
    "read QR codes": "qr code barcode scan link",
    "name things": "what kind call name this that",
    "count things": "count many number",
    "find people": "face person people who man woman someone anyone smile child",
    "tell what moves": "move motion walk run",
    "tell what changed": "change different new",
    "know again what you teach me": "what know recognise name kind animal show teach where",
}
"""Offers, each with the words of questions for which it would not help."""

_BEYOND = (
    "That is beyond me, but I can {offers}.",
    "I can't answer that one{either}; open questions need a Gemini key or a model of your own.",
    "Not that one, sorry. Ask me what I can do.",
    "I have no answer to that.",
)

_NOT_CAUGHT = (
    "Sorry, I didn't catch that. I heard: {heard}.",
    "I heard: {heard}. Please say it again in other words.",
    "Still not: {heard}. You can type it, too.",
)


def beyond(question: str, misses: int, *, again: bool = False) -> str:
    """The refusal of a question that the engine can't answer.

    Args:
        question: The question.
        misses: How many earlier turns of this conversation had no answer.
        again: Whether the previous turn had no answer.
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
    """The request to repeat speech that was not understood, with the recognised words."""
    return _turn(_NOT_CAUGHT, misses).format(heard=words)


def _turn(sentences: Sequence[str], misses: int) -> str:
    """The sentences in order, then the last two alternately."""
    last = len(sentences) - 1
    return sentences[misses if misses <= last else last - (misses - last) % 2]


def _either(offers: Sequence[str]) -> str:
    return f"{', '.join(offers[:-1])} or {offers[-1]}" if len(offers) > 1 else "".join(offers)
