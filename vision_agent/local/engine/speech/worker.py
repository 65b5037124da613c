"""What the two speech workers have in common: they serve the jobs of `worker_messages`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol

from vision_agent.local.engine.speech.sound import Floats, SentenceSound, gain_for
from vision_agent.local.engine.speech.worker_messages import END, PIECE, SAY, STOP, Order
from vision_agent.local.engine.worker_inbox import Inbox

# One gain for each language and voice; a parent needs a few of them.
_MAX_GAINS = 512
_CALIBRATION = "I don't know what this is."


class SynthesisError(Exception):
    """A text cannot be spoken; the message gives the reason."""


class Synthesizer(Protocol):
    """Makes the samples of a text."""

    def speak(self, order: Order, on_samples: Callable[[Floats], bool]) -> None:
        """Synthesises an order's text.

        Args:
            order: What to say, and how.
            on_samples: Takes samples at 24 kHz, full scale 1; returning false ends the synthesis.

        Raises:
            SynthesisError: The text cannot be spoken.
        """


class SpeechWorker:
    """Answers the jobs of an inbox, one after another."""

    def __init__(self, inbox: Inbox, synthesizer: Synthesizer) -> None:
        self._inbox = inbox
        self._synthesizer = synthesizer
        self._unwanted = -1
        self._gains: dict[tuple[object, ...], float] = {}

    def run(self) -> NoReturn:
        """Serves jobs until the process ends."""
        self._inbox.say_ready()
        while True:
            message = self._inbox.next(wait=True)
            if message is None or message.op != SAY:
                continue  # a STOP that crossed the END of its job
            failure = ""
            try:
                self._speak(message.job, Order.from_bytes(message.payload))
            except SynthesisError as error:
                failure = str(error)
            self._inbox.send(END, message.job, failure.encode())

    def _speak(self, job: int, order: Order) -> None:
        sound = SentenceSound(self.gain(order), order.pause_ms)

        def on_samples(samples: Floats) -> bool:
            for piece in sound.feed(samples):
                self._inbox.send(PIECE, job, piece)
            return self._wanted(job)

        if self._wanted(job):
            self._synthesizer.speak(order, on_samples)
        if self._wanted(job):
            for piece in sound.finish():
                self._inbox.send(PIECE, job, piece)

    def _wanted(self, job: int) -> bool:
        # The parent sends the next job after the END of this one, so these can only be STOPs.
        while message := self._inbox.next(wait=False):
            if message.op == STOP:
                self._unwanted = message.job
        return self._unwanted != job

    def gain(self, order: Order) -> float:
        """Returns the speaker's gain, measured once with a sentence that is not played (10 ms)."""
        speaker = (order.languages, order.voice)
        if speaker not in self._gains:
            calibration: list[Floats] = []

            def on_samples(samples: Floats) -> bool:
                calibration.append(samples)
                return True

            sentence = Order(_CALIBRATION, 0, order.languages, order.voice)
            self._synthesizer.speak(sentence, on_samples)
            if len(self._gains) >= _MAX_GAINS:
                self._gains.clear()
            self._gains[speaker] = gain_for(calibration)
        return self._gains[speaker]
