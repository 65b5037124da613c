"""Proposes the phrase of the grammar that an utterance resembles most, by pocketsphinx."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Iterable

from pocketsphinx import Decoder

from vision_agent.local.engine.hearing.worker_messages import Vocabulary
from vision_agent.local.engine.language.grammar import EXTRA_WORDS, jsgf, plain_words
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.pronunciation import phone_distance, spelled_phones
from vision_agent.local.engine.language.understanding import Proposal

_TYPICAL_LEVEL = "40,3,-1"
_ONE_WORD = "#JSGF V1.0; grammar level; public <level> = stop;"
_MOST_GRAMMARS = 4
"""Grammars that are kept, as compiling one takes half a second; the least recent is dropped."""

_MOST_STATES = 8_000  # per 10 ms of sound: bounds the CPU time that noise can take


class GrammarDecoder:
    """Proposes a sentence of the grammar for any sound, and says how far it is from the words."""

    def __init__(self) -> None:
        # Lattice search (bestpath) took 1.1 s at the end of a sentence on average.
        self._decoder = Decoder(lm=None, bestpath=False, maxhmmpf=_MOST_STATES, loglevel="FATAL")
        for word, phones in EXTRA_WORDS.items():
            self._decoder.add_word(word, phones, True)
        self._decoder.add_jsgf_string("level", _ONE_WORD)
        self._serial = itertools.count(1)
        self._searches: OrderedDict[Vocabulary, str] = OrderedDict()
        self._search(Vocabulary())

    def propose(self, pcm: bytes, vocabulary: Vocabulary, texts: Iterable[str]) -> Proposal | None:
        """The grammar's phrase that is most like a sound; None if there is none.

        Args:
            pcm: The whole utterance, s16le mono 16 kHz.
            vocabulary: What it may name.
            texts: Other recognisers' texts of the utterance; `Proposal.distance` is that to the
                nearest.
        """
        search = self._search(vocabulary)
        # Resets the noise estimate of earlier utterances, which may be another caller's.
        self._decoder.reinit_feat()
        level = self._level(pcm)
        self._decoder.activate_search(search)
        self._decoder.set_cmn(level)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        if hypothesis is None or not hypothesis.hypstr:
            return None
        words = plain_words(hypothesis.hypstr)
        distances = (phone_distance(words, normalise(one), self._phones) for one in texts)
        return Proposal(words, round(min(distances, default=1.0), 3))

    def _search(self, vocabulary: Vocabulary) -> str:
        """The grammar of a vocabulary, whose words are in the dictionary."""
        if vocabulary in self._searches:
            self._searches.move_to_end(vocabulary)
            return self._searches[vocabulary]
        names, agents = vocabulary.names, vocabulary.agents
        for word in {word for name in (*names, *agents) for word in name.split()}:
            if self._decoder.lookup_word(word) is None:
                self._decoder.add_word(word, spelled_phones(word), True)
        self._decoder.activate_search("level")
        if len(self._searches) == _MOST_GRAMMARS:
            self._decoder.remove_search(self._searches.popitem(last=False)[1])
        search = f"requests{next(self._serial)}"
        self._decoder.add_jsgf_string(search, jsgf(names, agents))
        self._searches[vocabulary] = search
        return search

    def _level(self, pcm: bytes) -> str:
        """The cepstral mean of some PCM, in the format of `set_cmn`.

        Cepstral mean normalisation starts from it: with the model's fixed start 142 of 174
        questions were recognised instead of 153.
        """
        # Features need an active search; this is the smallest one.
        self._decoder.activate_search("level")
        self._decoder.set_cmn(_TYPICAL_LEVEL)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        level = str(self._decoder.get_cmn(False))
        # Digital silence has no logarithm.
        return _TYPICAL_LEVEL if any(math.isnan(float(x)) for x in level.split(",")) else level

    def _phones(self, word: str) -> list[str]:
        phones = self._decoder.lookup_word(word)
        return (phones or spelled_phones(word)).split()
