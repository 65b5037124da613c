"""Which request a sentence makes, spoken or typed.

The rules come first, then what the grammar's recogniser proposes, then the nearest example. A
sentence that none of them places asks for nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vision_agent.local.contract import Request
from vision_agent.local.engine.language.free_slots import with_slots
from vision_agent.local.engine.language.nearest_examples import NearestExamples
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.phrase_matching import as_meant, match
from vision_agent.local.engine.language.sums import is_sum
from vision_agent.local.engine.weights import WeightsError

_log = logging.getLogger(__name__)

AGREEMENT = 0.45
"""Largest phone distance at which a proposal is believed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the grammar's recogniser makes of a sound. It finds a request in any sound.

    Attributes:
        words: A sentence of the grammar.
        distance: How differently it sounds from the words that were heard: 0 the same, 1 nothing
            in common (`pronunciation.phone_distance`).
    """

    words: str
    distance: float


def by_rules(
    text: str,
    proposal: Proposal | None = None,
    names: Collection[str] = (),
    agents: Collection[str] = (),
) -> Request | None:
    """The request by the rules and the grammar alone; arguments as of `Understanding.request`."""
    if is_sum(text):
        return Request("sum", loose=True)
    found = match(text)
    if found is None and proposal is not None and proposal.distance <= AGREEMENT:
        found = match(proposal.words, names, agents)
        return as_meant(found, proposal.words) if found else None
    return as_meant(found, text) if found else None


def likelier(
    text: str, proposal: Proposal | None, names: Collection[str] = (), agents: Collection[str] = ()
) -> str:
    """What was said: the words that were heard, or the proposal, if only it makes a request."""
    if proposal is None or by_rules(text, None, names, agents) is not None:
        return text
    believed = by_rules(text, proposal, names, agents) is not None
    return proposal.words.capitalize() if believed else text


class Understanding:
    """Decides for all conversations; the encoder runs in one thread of its own.

    Without the encoder's weights the rules alone decide; the log says so once.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "sentence-encoder")
        self._examples: NearestExamples | None = None
        self._missing = False

    async def warm_up(self) -> None:
        """Load the encoder, so that the first sentence need not wait for it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    def close(self) -> None:
        """End the thread; a sentence that is being compared is finished first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def request(
        self,
        text: str,
        proposal: Proposal | None = None,
        names: Collection[str] = (),
        agents: Collection[str] = (),
    ) -> Request | None:
        """The request that a sentence makes; None if it makes none.

        Args:
            text: As typed, or as it was heard, with or without punctuation.
            proposal: What the grammar's recogniser made of the sound.
            names: Taught names that the proposal may hold besides the vocabulary.
            agents: Agents that the proposal may name.
        """
        found = by_rules(text, proposal, names, agents)
        if found is not None or not text.strip():
            return found
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._placed, normalise(text))

    def _placed(self, sentence: str) -> Request | None:
        """In the encoder's thread."""
        examples = self._load()
        if examples is None or not sentence:
            return None
        nearest = examples.nearest(sentence)
        _log.debug("%s: %s", sentence, nearest)
        found = with_slots(nearest.intent, sentence) if nearest.is_meant else None
        return as_meant(found, sentence) if found else None

    def _load(self) -> NearestExamples | None:
        if self._examples is None and not self._missing:
            try:
                self._examples = NearestExamples()
            except WeightsError as error:
                self._missing = True
                _log.warning("%s Only sentences that a rule fits are understood.", error)
        return self._examples
