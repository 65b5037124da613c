"""The process that turns speech into text: `DecoderPair`s that share the utterances.

Decoding runs while the caller speaks, and up to each pause, so that little is left to decode when
a pause turns out to be the end. Utterances of several conversations take turns, one slice each;
more than ``_PAIRS`` wait in the order in which they began.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field

from vision_agent.local.engine.hearing.decoder_pair import DecoderPair
from vision_agent.local.engine.hearing.worker_messages import (
    AUDIO,
    BEGIN,
    CANCEL,
    END,
    PAUSE,
    RESULT,
    Vocabulary,
    result_to_bytes,
)
from vision_agent.local.engine.worker_inbox import Inbox

_PAIRS = 2
_SLICE_BYTES = 6_400  # 200 ms of s16le mono 16 kHz
# The mean of the first second's features is where cepstral mean normalisation starts. Without it
# (the model's fixed start) 142 of 174 test questions were understood instead of 153.
_LEVEL_BYTES = 32_000


@dataclass(slots=True)
class _Decoding:
    """An utterance being decoded, in slices that do not depend on how fast its sound arrives.

    Attributes:
        vocabulary: What it may name.
        sound: Sound that is not decoded yet; each pause ends a piece.
        guessing: Whether less than a second before a pause is decoded as the whole utterance.
        guessed: The sound decoded that way.
        decoders: The pair that decodes it, if it has one.
    """

    job: int
    vocabulary: Vocabulary
    sound: deque[bytearray] = field(default_factory=lambda: deque([bytearray()]))
    guessing: bool = False
    guessed: list[bytes] = field(default_factory=list)
    ended: bool = False
    cancelled: bool = False
    decoders: DecoderPair | None = None

    def add(self, pcm: bytes) -> None:
        self.sound[-1] += pcm

    def pause(self) -> None:
        if self.sound[-1]:
            self.sound.append(bytearray())

    def runnable(self) -> bool:
        if self.ended or self.cancelled:
            return True
        if self.decoders is None:
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


class Scheduler:
    """Shares the decoder pairs among the open utterances."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._free = [DecoderPair()]
        self._made = 1
        self._turns: deque[_Decoding] = deque()
        self._by_job: dict[int, _Decoding] = {}

    def run(self) -> None:
        """Never returns; the inbox ends the process when its parent is gone."""
        self._inbox.say_ready()
        while True:
            message = self._inbox.next(wait=not self._work())
            if message is not None:
                self._take(message.op, message.job, message.payload)

    def _take(self, op: int, job: int, payload: bytes) -> None:
        if op == BEGIN:
            utterance = _Decoding(job, Vocabulary.from_bytes(payload))
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

    def _more(self, utterance: _Decoding, pcm: bytes) -> None:
        if utterance.guessing and utterance.decoders is not None:
            # It was not the end: start again, with more sound to take the cepstral mean from.
            utterance.decoders.abandon()
            self._free.append(utterance.decoders)
            utterance.decoders = None
            utterance.sound.extendleft(bytearray(done) for done in reversed(utterance.guessed))
            utterance.guessing = False
            utterance.guessed.clear()
        utterance.add(pcm)

    def _work(self) -> bool:
        """Decode one slice of the next utterance; False when there is nothing to decode."""
        for _ in range(len(self._turns)):
            utterance = self._turns[0]
            self._turns.rotate(-1)
            if utterance.runnable() and self._slice(utterance):
                return True
        return False

    def _slice(self, utterance: _Decoding) -> bool:
        if utterance.cancelled:
            if utterance.decoders is not None:
                utterance.decoders.abandon()
            self._leave(utterance)
            return True
        if utterance.decoders is None:
            utterance.decoders = self._borrow()
            if utterance.decoders is None:
                return False
            utterance.decoders.listen_for(utterance.vocabulary)
            opening = utterance.opening()
            utterance.guessing = len(opening) < _LEVEL_BYTES
            utterance.decoders.begin(opening)
        if pcm := utterance.next_slice():
            utterance.decoders.feed(pcm)
            if utterance.guessing:
                utterance.guessed.append(pcm)
        elif utterance.ended:
            transcript, details = utterance.decoders.finish()
            self._leave(utterance)
            self._inbox.send(RESULT, utterance.job, result_to_bytes(transcript, details))
        return True

    def _borrow(self) -> DecoderPair | None:
        if self._free:
            return self._free.pop()
        if self._made < _PAIRS:
            self._made += 1
            return DecoderPair()
        return None

    def _leave(self, utterance: _Decoding) -> None:
        self._turns.remove(utterance)
        del self._by_job[utterance.job]
        if utterance.decoders is not None:
            self._free.append(utterance.decoders)


if __name__ == "__main__":
    Scheduler(Inbox()).run()
    sys.exit(0)
