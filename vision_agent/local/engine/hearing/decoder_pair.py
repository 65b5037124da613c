"""Two pocketsphinx decoders for one utterance at a time.

One follows the grammar of what can be asked, one the general language model. The grammar alone
would turn any speech into a request; `acceptance` says which of the two is believed.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict

from pocketsphinx import Decoder

from vision_agent.local.contract import Transcript
from vision_agent.local.engine.hearing.acceptance import judge
from vision_agent.local.engine.hearing.worker_messages import Vocabulary
from vision_agent.local.engine.language.grammar import EXTRA_WORDS, jsgf
from vision_agent.local.engine.language.pronunciation import phone_distance, spelled_phones

_TYPICAL_LEVEL = "40,3,-1"
_SECOND_BEST = 10
_ONE_WORD = "#JSGF V1.0; grammar level; public <level> = stop;"
_MOST_GRAMMARS = 4
"""Grammars that a pair keeps, as compiling one takes half a second; the least recent is dropped."""

_MOST_STATES = 8_000  # per 10 ms of sound: bounds the CPU time that noise can take


class DecoderPair:
    """Decodes one utterance at a time with the grammar of a vocabulary."""

    def __init__(self) -> None:
        # Lattice search (bestpath) in the grammar took 1.1 s at the end of a sentence on average,
        # and the second pass (fwdflat) of the general model corrected 1 of 174 questions.
        self._grammar = Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._general = Decoder(
            bestpath=False, fwdflat=False, maxhmmpf=_MOST_STATES, loglevel="FATAL"
        )
        for decoder in (self._grammar, self._general):
            for word, phones in EXTRA_WORDS.items():
                decoder.add_word(word, phones, True)
        self._grammar.add_jsgf_string("level", _ONE_WORD)
        self._serial = itertools.count(1)
        self._searches: OrderedDict[Vocabulary, str] = OrderedDict()
        self.listen_for(Vocabulary())

    def listen_for(self, vocabulary: Vocabulary) -> None:
        """Put names into the grammar, and their words into the dictionary."""
        self._vocabulary = vocabulary
        if vocabulary in self._searches:
            self._searches.move_to_end(vocabulary)
            return
        names, agents = vocabulary.names, vocabulary.agents
        for word in {word for name in (*names, *agents) for word in name.split()}:
            for decoder in (self._grammar, self._general):
                if decoder.lookup_word(word) is None:
                    decoder.add_word(word, spelled_phones(word), True)
        self._grammar.activate_search("level")
        if len(self._searches) == _MOST_GRAMMARS:
            self._grammar.remove_search(self._searches.popitem(last=False)[1])
        search = f"requests{next(self._serial)}"
        self._grammar.add_jsgf_string(search, jsgf(names, agents))
        self._searches[vocabulary] = search

    def begin(self, opening: bytes) -> None:
        """Start an utterance; its first second of PCM sets the cepstral mean."""
        for decoder in (self._grammar, self._general):
            # Resets the noise estimate of earlier utterances, which may be another caller's.
            decoder.reinit_feat()
        level = self._level(opening)
        self._grammar.activate_search(self._searches[self._vocabulary])
        for decoder in (self._grammar, self._general):
            decoder.set_cmn(level)
            decoder.start_utt()

    def feed(self, pcm: bytes) -> None:
        """Decode some more, s16le mono 16 kHz."""
        for decoder in (self._grammar, self._general):
            decoder.process_raw(pcm)

    def finish(self) -> tuple[Transcript, dict[str, object]]:
        """End the utterance; returns its transcript, and hypotheses and distances for the log."""
        hypotheses = []
        for decoder in (self._grammar, self._general):
            decoder.end_utt()
            hypothesis = decoder.hyp()
            hypotheses.append(hypothesis.hypstr if hypothesis else "")
        request, general = hypotheses
        distance = phone_distance(request, general, self._pronounce)
        # A short word is easily second best: "stop" came first in one of three voices.
        others = itertools.islice(self._general.nbest(), _SECOND_BEST) if general else ()
        nearest = min(
            (phone_distance(request, other.hypstr, self._pronounce) for other in others if other),
            default=1.0,
        )
        return judge(request, general, distance, nearest, self._vocabulary), {
            "grammar": request,
            "general": general,
            "distance": round(distance, 3),
            "nearest": round(nearest, 3),
        }

    def abandon(self) -> None:
        """End the utterance without a result."""
        for decoder in (self._grammar, self._general):
            decoder.end_utt()

    def _level(self, pcm: bytes) -> str:
        """The cepstral mean of some PCM, in the format of `set_cmn`."""
        if not pcm:
            return _TYPICAL_LEVEL
        # Features need an active search; this is the smallest one.
        self._grammar.activate_search("level")
        self._grammar.set_cmn(_TYPICAL_LEVEL)
        self._grammar.start_utt()
        self._grammar.process_raw(pcm, full_utt=True)
        self._grammar.end_utt()
        level = str(self._grammar.get_cmn(False))
        # Digital silence has no logarithm.
        return _TYPICAL_LEVEL if any(math.isnan(float(x)) for x in level.split(",")) else level

    def _pronounce(self, word: str) -> list[str] | None:
        phones = self._general.lookup_word(word)
        return phones.split() if phones else None
