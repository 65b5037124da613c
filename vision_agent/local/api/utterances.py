"""Consecutive utterances as one prompt. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vision_agent.local.contract import Transcript


def together(utterances: Sequence[Transcript]) -> Transcript:
    """One prompt of all utterances that came before any of them could be answered.

    An utterance that was understood is the prompt alone: a cough or half a word in front of it
    would make it unintelligible.
    """
    said = [utterance for utterance in utterances if utterance.text] or list(utterances[-1:])
    if said[-1].understood:
        return said[-1]
    text = " ".join(utterance.text for utterance in said)
    lost = any(utterance.lost for utterance in utterances)
    return Transcript(text, False, snr_db=said[-1].snr_db, lost=lost, deaf=said[-1].deaf)
