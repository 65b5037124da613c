"""The process in which espeak-ng runs: `python -m vision_agent.local.engine.speech.worker`.

It serves the jobs of `worker_messages`, one after another.
"""

from __future__ import annotations

from typing import NoReturn

from vision_agent.local.engine.speech.espeak import Espeak, EspeakError
from vision_agent.local.engine.speech.sound import Samples, SentenceSound, gain_for
from vision_agent.local.engine.speech.voices import EspeakVoice
from vision_agent.local.engine.speech.worker_messages import END, PIECE, SAY, STOP, Order
from vision_agent.local.engine.worker_inbox import Inbox

# One gain for each language and voice; a parent needs a few of them.
_MAX_GAINS = 512
_CALIBRATION = "How many of these do you see?"


class Worker:
    """Answers the jobs of an inbox.

    Raises:
        EspeakError: espeak-ng cannot be loaded.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._espeak = Espeak()
        self._unwanted = -1
        self._gains: dict[tuple[tuple[str, ...], EspeakVoice], float] = {}

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
            except EspeakError as error:
                failure = str(error)
            self._inbox.send(END, message.job, failure.encode())

    def _speak(self, job: int, order: Order) -> None:
        sound = SentenceSound(self._gain(order), order.pause_ms)

        def on_samples(samples: Samples) -> bool:
            for piece in sound.feed(samples):
                self._inbox.send(PIECE, job, piece)
            return self._wanted(job)

        if self._wanted(job):
            self._espeak.speak(order.text, order.languages, order.voice, on_samples)
        if self._wanted(job):
            for piece in sound.finish():
                self._inbox.send(PIECE, job, piece)

    def _wanted(self, job: int) -> bool:
        # The parent sends the next job after the END of this one, so these can only be STOPs.
        while message := self._inbox.next(wait=False):
            if message.op == STOP:
                self._unwanted = message.job
        return self._unwanted != job

    def _gain(self, order: Order) -> float:
        """Returns the speaker's gain, measured once with a sentence that is not played (10 ms)."""
        speaker = (order.languages, order.voice)
        if speaker not in self._gains:
            calibration: list[Samples] = []

            def on_samples(samples: Samples) -> bool:
                calibration.append(samples)
                return True

            self._espeak.speak(_CALIBRATION, order.languages, order.voice, on_samples)
            if len(self._gains) >= _MAX_GAINS:
                self._gains.clear()
            self._gains[speaker] = gain_for(calibration)
        return self._gains[speaker]


def main() -> NoReturn:
    """Runs the worker; if espeak-ng cannot be loaded, the parent gets a refusal with the reason."""
    inbox = Inbox()
    try:
        worker = Worker(inbox)
    except EspeakError as error:
        inbox.refuse(str(error))
    worker.run()


if __name__ == "__main__":
    main()
