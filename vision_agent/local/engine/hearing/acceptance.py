"""Which of two hypotheses about an utterance is believed. Pure."""

from __future__ import annotations

from vision_agent.local.contract import Request, Transcript
from vision_agent.local.engine.hearing.worker_messages import Vocabulary
from vision_agent.local.engine.language.grammar import DECOYS, plain_words
from vision_agent.local.engine.language.phrase_matching import match

AGREEMENT = 0.45
"""Largest normalised phone distance at which the grammar is believed.

Measured on 160 real commands and on off-topic speech: 79 % right, 4 % wrong, and no off-topic
speech accepted; 0.65 would accept 2 % of it.
"""

SECOND_AGREEMENT = 0.19
"""Largest distance to the nearest of the general model's ten best hypotheses. It is small, because
one of ten hypotheses is easily near by chance.

At 0.15 "say that again" in the engine's own voice was not understood (0.182).
"""

_FEW_WORDS = 2  # a decoy is not mistaken for a longer request
_HARMLESS = frozenset({"stop", "hello"})
"""Requests that are believed in doubt. To stop when "staff" was said does little harm, not to stop
when asked to does much; a missing answer to a greeting is a bad first impression."""


def judge(
    request: str,
    general: str,
    distance: float,
    nearest: float = 1.0,
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008
) -> Transcript:
    """The transcript that two hypotheses give.

    Args:
        request: The hypothesis of the grammar's decoder.
        general: The hypothesis of the general model's decoder.
        distance: The phone distance of the two, 0 to 1.
        nearest: The phone distance of the grammar's hypothesis and the nearest of the general
            model's ten best.
        vocabulary: Names that are believed when they were recognised.

    Returns:
        The transcript, with its request if it is understood. Otherwise its text is the general
        model's hypothesis, because the grammar's decoder can only find what the grammar holds.
    """
    free, bound = plain_words(general), plain_words(request)
    agreed = distance <= AGREEMENT or nearest <= SECOND_AGREEMENT
    asked = match(free, vocabulary.names, vocabulary.agents)
    doubtful = bound in DECOYS and len(free.split()) <= _FEW_WORDS and distance > AGREEMENT
    if doubtful and not (asked and asked.intent in _HARMLESS):
        return _transcript(free, None)
    # The general model does not know the table: if its hypothesis is in the table, it was said.
    if asked is not None and not asked.loose:
        return _transcript(free, asked)
    if agreed and (bound_request := match(bound, vocabulary.names, vocabulary.agents)):
        return _transcript(bound, bound_request)
    # A loose phrase easily matches another sentence: an agreement of both decoders comes first.
    return _transcript(free, asked)


def _transcript(text: str, request: Request | None) -> Transcript:
    return Transcript(text, understood=request is not None, request=request)
