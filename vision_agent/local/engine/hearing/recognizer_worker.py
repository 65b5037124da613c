"""The process that turns speech into text: `Whispers` and one `GrammarDecoder` for all calls.

An utterance is decoded in the pause that may be its end, and again only if more was said. Ended
utterances come first, in the order in which they ended; then those in a pause; then the windows of
those still being spoken. No step takes longer than one window or one proposal. The second Whisper
is loaded when there is nothing else to do, or else by the first sound that it is asked about.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, field, replace

from vision_agent.local.engine.hearing.grammar_decoder import GrammarDecoder
from vision_agent.local.engine.hearing.larger_whisper import VARIABLE
from vision_agent.local.engine.hearing.whisper_text import Hypothesis
from vision_agent.local.engine.hearing.whispers import Whispers
from vision_agent.local.engine.hearing.windows import first_window
from vision_agent.local.engine.hearing.worker_messages import (
    AUDIO,
    BEGIN,
    CANCEL,
    END,
    PAUSE,
    RESULT,
    Recognition,
    Vocabulary,
)
from vision_agent.local.engine.language.understanding import SURE, Proposal, by_rules
from vision_agent.local.engine.weights import WeightsError
from vision_agent.local.engine.worker_inbox import Inbox
from vision_agent.malloc_trim import trim

_LONGEST_REQUEST_BYTES = 6 * 32_000
"""A longer utterance is not one of the grammar's phrases."""

_LONE_WORD_BYTES = 51_200
"""A sound of up to 1.6 s, silence included, may be a lone word, which the grammar knows best."""


@dataclass(slots=True)
class _Utterance:
    """An utterance that is being said or decoded.

    Attributes:
        vocabulary: What it may name.
        rest: Its sound after the decoded windows.
        texts: The texts of those windows.
        paused: Whether it may be over.
        ended: Whether it is over.
        first: The first Whisper's hypothesis of the rest; None until the newest sound is decoded.
        second: The second Whisper's hypothesis, likewise; None until it was asked.
        proposal: The grammar's proposal, likewise; None until it was asked.
    """

    job: int
    vocabulary: Vocabulary
    rest: bytearray = field(default_factory=bytearray)
    texts: list[str] = field(default_factory=list)
    paused: bool = False
    ended: bool = False
    first: Hypothesis | None = None
    second: Hypothesis | None = None
    proposal: tuple[Proposal | None] | None = None

    def add(self, pcm: bytes) -> None:
        """Take sound that follows all earlier sound."""
        self.rest += pcm
        self.paused = False
        self.first = self.second = self.proposal = None

    @property
    def text(self) -> str:
        """The words of the utterance that have been decoded so far."""
        last = self.first.text if self.first else ""
        return " ".join(text for text in (*self.texts, last) if text)

    @property
    def is_unsure(self) -> bool:
        """Whether the second Whisper has to be asked."""
        assert self.first is not None
        unsure = bool(self.first.text) and self.first.log_probability < SURE
        return unsure and not self.texts

    def may_be_a_phrase(self, *, by_two: bool) -> bool:
        """Whether to ask the grammar, because no rule places Whisper's texts.

        Args:
            by_two: Whether there are two Whispers. They know longer sounds without taught names
                better than the grammar does.
        """
        assert self.first is not None
        if self.texts or not self.first.text or len(self.rest) > _LONGEST_REQUEST_BYTES:
            return False
        names, agents = self.vocabulary.names, self.vocabulary.agents
        if by_two and not names and not agents and not self._may_be_a_word:
            return False
        texts = [one.text for one in (self.first, self.second) if one]
        return all(by_rules(text, None, names, agents) is None for text in texts)

    @property
    def _may_be_a_word(self) -> bool:
        return self.is_unsure and len(self.rest) <= _LONE_WORD_BYTES


class Scheduler:
    """Decodes the open utterances, one step at a time."""

    def __init__(self, inbox: Inbox, whispers: Whispers) -> None:
        self._inbox = inbox
        self._whispers = whispers
        self._grammar = GrammarDecoder()
        self._open: dict[int, _Utterance] = {}
        self._ended: list[_Utterance] = []

    def run(self) -> None:
        """Never returns; the inbox ends the process when its parent is gone."""
        self._whispers.first.warm_up()
        self._inbox.say_ready()
        idle = False
        while True:
            while message := self._inbox.next(wait=idle):
                self._take(message.op, message.job, message.payload)
                idle = False
            idle = not (self._step() or self._prepare())

    def _take(self, op: int, job: int, payload: bytes) -> None:
        if op == BEGIN:
            self._open[job] = _Utterance(job, Vocabulary.from_bytes(payload))
            return
        known = self._open.get(job)
        if known is None:
            return
        if op == AUDIO:
            known.add(payload)
        elif op == PAUSE:
            known.paused = True
        elif op == END:
            known.ended = True
            self._ended.append(known)
        elif op == CANCEL:
            self._leave(known)

    def _step(self) -> bool:
        """Do the most urgent thing; False when there is nothing to do."""
        for utterance in self._ended:
            if not self._decode(utterance):
                self._answer(utterance)
            return True
        paused = (one for one in self._open.values() if one.paused)
        return any(map(self._decode, paused)) or any(map(self._window, self._open.values()))

    def _prepare(self) -> bool:
        """Load a model that a later sound may need; False when all are loaded."""
        if self._whispers.load_early():
            trim()
            return True
        return False

    def _decode(self, utterance: _Utterance) -> bool:
        """Take one step of decoding an utterance up to its newest sound; False if none is left."""
        if self._window(utterance):
            return True
        if utterance.first is None:
            utterance.first = self._hear(bytes(utterance.rest))
            return True
        unsure = utterance.second is None and utterance.is_unsure
        if unsure and (second := self._whispers.second) is not None:
            utterance.second = second.hear(bytes(utterance.rest))
            if not utterance.second.text:  # the smaller one tells noise from speech better
                utterance.first = replace(utterance.second, others=(), close=0)
            return True
        by_two = self._whispers.are_two
        if utterance.proposal is None and utterance.may_be_a_phrase(by_two=by_two):
            whispers = [one for one in (utterance.first, utterance.second) if one]
            texts = [text for one in whispers for text in (one.text, *one.others)]
            proposal = self._grammar.propose(bytes(utterance.rest), utterance.vocabulary, texts)
            utterance.proposal = (proposal,)
            return True
        return False

    def _window(self, utterance: _Utterance) -> bool:
        """Decode the first window of an utterance that does not fit into one."""
        end = first_window(utterance.rest)
        if end is None:
            return False
        text = self._hear(bytes(utterance.rest[:end])).text
        del utterance.rest[:end]
        if text:
            utterance.texts.append(text)
        return True

    def _hear(self, pcm: bytes) -> Hypothesis:
        return self._whispers.first.hear(pcm) if pcm else Hypothesis()

    def _answer(self, utterance: _Utterance) -> None:
        first = utterance.first or Hypothesis()
        (proposal,) = utterance.proposal or (None,)
        others = () if utterance.texts else first.others
        result = Recognition(
            utterance.text,
            proposal,
            first.log_probability,
            first.no_speech,
            others,
            min(first.close, len(others)),
            utterance.second,
        )
        self._leave(utterance)
        self._inbox.send(RESULT, utterance.job, result.to_bytes())

    def _leave(self, utterance: _Utterance) -> None:
        del self._open[utterance.job]
        if utterance.ended:
            self._ended.remove(utterance)


def _load(inbox: Inbox) -> Whispers:
    try:
        return Whispers.load(os.environ.get(VARIABLE, "").strip())
    except WeightsError as error:
        inbox.refuse(f"Nobody can be heard: {error}")


if __name__ == "__main__":
    logging.basicConfig(format="%(levelname)s %(message)s")
    _inbox = Inbox()
    Scheduler(_inbox, _load(_inbox)).run()
    sys.exit(0)
