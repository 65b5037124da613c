"""The process that turns speech into text: two pocketsphinx decoders for every utterance.

One follows the grammar of what can be asked, one the general language model. The grammar alone
would turn every speech into a command; only what both hear alike is believed.

Decoding runs while the person speaks, and a pause is decoded up to, so that little is left to do
when it turns out to be the end. The utterances of several conversations take turns, a slice each;
more than ``_PAIRS`` at once wait in line, in the order they began.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from pocketsphinx import Decoder

from vision_agent.local.engine.language.grammar import (
    AGREEMENT,
    DECOYS,
    EXTRA_WORDS,
    SECOND_AGREEMENT,
    jsgf,
    phone_distance,
    plain_words,
)
from vision_agent.local.engine.language.intents import understand
from vision_agent.local.engine.language.pronunciation import spelled_phones
from vision_agent.local.engine.worker_process import Inbox

BEGIN, AUDIO, PAUSE, END, CANCEL, RESULT, NAMES = range(7)

_PAIRS = 2
_SLICE_BYTES = 6_400  # 200 ms of s16le mono 16 kHz
# The mean of the first second's features is where cepstral mean normalisation starts. Without it
# (the model's fixed start) 142 of 174 test questions were understood instead of 153.
_LEVEL_BYTES = 32_000
_TYPICAL_LEVEL = "40,3,-1"
_SECOND_BEST = 10
_FEW_WORDS = 2  # what a decoy can be mistaken for
_HARMLESS = frozenset({"stop", "hello"})
"""To stop when "staff" was said does little harm, and not to stop when asked to does much. A
greeting that nobody meant costs a sentence; one that is not returned is the first impression."""
_ONE_WORD = "#JSGF V1.0; grammar level; public <level> = stop;"
_MOST_GRAMMARS = 4
"""Kept for a listener: one takes half a second to make. The one used longest ago is let go."""

_MOST_STATES = 8_000  # of the search, a frame: a bound on what noise can cost


_Known = tuple[tuple[str, ...], tuple[str, ...]]
"""Taught names, and agents."""


class DecoderPair:
    """A pair of decoders for one utterance at a time."""

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
        self._searches: OrderedDict[_Known, str] = OrderedDict()
        self.listen_for(())

    def listen_for(self, names: tuple[str, ...], agents: tuple[str, ...] = ()) -> None:
        """Put names into the grammar, and their words into the dictionary.

        Args:
            names: What things have been taught as.
            agents: Whom the caller may ask for.
        """
        self._known = names, agents
        if self._known in self._searches:
            self._searches.move_to_end(self._known)
            return
        for word in {word for name in (*names, *agents) for word in name.split()}:
            for decoder in (self._grammar, self._general):
                if decoder.lookup_word(word) is None:
                    decoder.add_word(word, spelled_phones(word), True)
        self._grammar.activate_search("level")
        if len(self._searches) == _MOST_GRAMMARS:
            self._grammar.remove_search(self._searches.popitem(last=False)[1])
        search = f"requests{next(self._serial)}"
        self._grammar.add_jsgf_string(search, jsgf(names, agents))
        self._searches[self._known] = search

    def begin(self, opening: bytes) -> None:
        """Start an utterance, levelled on its first second of PCM."""
        for decoder in (self._grammar, self._general):
            # Forgets the noise of earlier utterances, which were perhaps another caller's.
            decoder.reinit_feat()
        level = self._level(opening)
        self._grammar.activate_search(self._searches[self._known])
        for decoder in (self._grammar, self._general):
            decoder.set_cmn(level)
            decoder.start_utt()

    def feed(self, pcm: bytes) -> None:
        """Decode some more, s16le mono 16 kHz."""
        for decoder in (self._grammar, self._general):
            decoder.process_raw(pcm)

    def finish(self) -> dict[str, object]:
        """End the utterance and judge it: text, understood, and what each decoder heard."""
        heard = []
        for decoder in (self._grammar, self._general):
            decoder.end_utt()
            hypothesis = decoder.hyp()
            heard.append(hypothesis.hypstr if hypothesis else "")
        request, general = heard
        distance = phone_distance(request, general, self._pronounce)
        # Short words are easily second best: of "stop" in three voices, one came first.
        others = itertools.islice(self._general.nbest(), _SECOND_BEST) if general else ()
        nearest = min(
            (phone_distance(request, other.hypstr, self._pronounce) for other in others if other),
            default=1.0,
        )
        return {
            **judge(request, general, distance, nearest, *self._known),
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
        """The mean of the features of some PCM, as `set_cmn` takes it."""
        if not pcm:
            return _TYPICAL_LEVEL
        # There are no features without a search; this one is as small as can be.
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


def judge(
    request: str,
    general: str,
    distance: float,
    nearest: float = 1.0,
    names: tuple[str, ...] = (),
    agents: tuple[str, ...] = (),
) -> dict[str, object]:
    """What to believe of two hypotheses.

    Args:
        request: The grammar's hypothesis.
        general: The general model's.
        distance: How differently they sound, 0 to 1.
        nearest: How differently the grammar's and the nearest of the general model's ten best do.
        names: What things have been taught as.
        agents: Whom the caller may ask for.

    Returns:
        ``text`` and ``understood``. Not understood, the text is what the general model heard, for
        the grammar can only hear what it knows.
    """
    free, bound = plain_words(general), plain_words(request)
    agreed = distance <= AGREEMENT or nearest <= SECOND_AGREEMENT
    asked = understand(free, names, agents)
    doubtful = bound in DECOYS and len(free.split()) <= _FEW_WORDS and distance > AGREEMENT
    if doubtful and not (asked and asked.intent in _HARMLESS):
        return {"text": free, "understood": False}
    # The general model knows nothing of the table: if it hears a sentence of the table, that is it.
    if asked is not None and not asked.loose:
        return {"text": free, "understood": True}
    if agreed and understand(bound, names, agents) is not None:
        return {"text": bound, "understood": True}
    # A looser sentence is nearly as easily heard in another one: what both agree on comes first.
    return {"text": free, "understood": asked is not None}


@dataclass(slots=True)
class _Utterance:
    """What is decoded next. Where it is cut depends on the sound alone, never on how fast it comes.

    Attributes:
        sound: Not decoded yet; what is before a pause is a piece of its own.
        guessing: Whether what was before a pause, less than a second, is decoded as if it was all.
        guessed: What was decoded so.
    """

    job: int
    sound: deque[bytearray] = field(default_factory=lambda: deque([bytearray()]))
    guessing: bool = False
    guessed: list[bytes] = field(default_factory=list)
    ended: bool = False
    cancelled: bool = False
    agents: tuple[str, ...] = ()
    listener: DecoderPair | None = None

    def add(self, pcm: bytes) -> None:
        self.sound[-1] += pcm

    def pause(self) -> None:
        if self.sound[-1]:
            self.sound.append(bytearray())

    def runnable(self) -> bool:
        if self.ended or self.cancelled:
            return True
        if self.listener is None:
            paused = len(self.sound) > 1 and not self.sound[-1]
            return paused or sum(map(len, self.sound)) >= _LEVEL_BYTES
        return len(self.sound) > 1 or len(self.sound[0]) >= _SLICE_BYTES

    def opening(self) -> bytes:
        return b"".join(self.sound)[:_LEVEL_BYTES]

    def next_slice(self) -> bytes:
        pcm = bytes(self.sound[0][:_SLICE_BYTES])
        del self.sound[0][:_SLICE_BYTES]
        if not self.sound[0] and len(self.sound) > 1:
            self.sound.popleft()
        return pcm


class _Room:
    """The utterances being spoken and the listeners that are free."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._free = [DecoderPair()]
        self._made = 1
        self._turns: deque[_Utterance] = deque()
        self._by_job: dict[int, _Utterance] = {}
        self._names: tuple[str, ...] = ()

    def run(self) -> None:
        self._inbox.say_ready()
        while True:
            message = self._inbox.next(wait=not self._work())
            if message is not None:
                self._take(message.op, message.job, message.payload)

    def _take(self, op: int, job: int, payload: bytes) -> None:
        if op == NAMES:
            self._names = tuple(json.loads(payload))
            return
        if op == BEGIN:
            utterance = _Utterance(job, agents=tuple(json.loads(payload or b"[]")))
            self._by_job[job] = utterance
            self._turns.append(utterance)
            return
        known = self._by_job.get(job)
        if known is None:
            return
        if op == AUDIO:
            self._more(known, payload)
        elif op == PAUSE:
            known.pause()
        elif op == END:
            known.ended = True
        elif op == CANCEL:
            known.cancelled = True

    def _more(self, utterance: _Utterance, pcm: bytes) -> None:
        if utterance.guessing and utterance.listener is not None:
            # It was not all: now there is more to level it on, so once more from the start.
            utterance.listener.abandon()
            self._free.append(utterance.listener)
            utterance.listener = None
            utterance.sound.extendleft(bytearray(done) for done in reversed(utterance.guessed))
            utterance.guessing = False
            utterance.guessed.clear()
        utterance.add(pcm)

    def _work(self) -> bool:
        """One slice of whoever's turn it is; False when nobody has anything to decode."""
        for _ in range(len(self._turns)):
            utterance = self._turns[0]
            self._turns.rotate(-1)
            if utterance.runnable() and self._slice(utterance):
                return True
        return False

    def _slice(self, utterance: _Utterance) -> bool:
        if utterance.cancelled:
            if utterance.listener is not None:
                utterance.listener.abandon()
            self._leave(utterance)
            return True
        if utterance.listener is None:
            utterance.listener = self._borrow()
            if utterance.listener is None:
                return False
            utterance.listener.listen_for(self._names, utterance.agents)
            opening = utterance.opening()
            utterance.guessing = len(opening) < _LEVEL_BYTES
            utterance.listener.begin(opening)
        if pcm := utterance.next_slice():
            utterance.listener.feed(pcm)
            if utterance.guessing:
                utterance.guessed.append(pcm)
        elif utterance.ended:
            result = utterance.listener.finish()
            self._leave(utterance)
            self._inbox.send(RESULT, utterance.job, json.dumps(result).encode())
        return True

    def _borrow(self) -> DecoderPair | None:
        if self._free:
            return self._free.pop()
        if self._made < _PAIRS:
            self._made += 1
            return DecoderPair()
        return None

    def _leave(self, utterance: _Utterance) -> None:
        self._turns.remove(utterance)
        del self._by_job[utterance.job]
        if utterance.listener is not None:
            self._free.append(utterance.listener)


if __name__ == "__main__":
    _Room(Inbox()).run()
    sys.exit(0)
