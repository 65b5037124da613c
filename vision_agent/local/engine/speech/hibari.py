"""The English voice: hibari's phonemes and network, and a vocoder that makes thirty voices."""

from __future__ import annotations

from collections.abc import Callable

from vision_agent.local.contract import OUTPUT_RATE_HZ
from vision_agent.local.engine.speech.phonemizer import Phonemizer
from vision_agent.local.engine.speech.sound import Floats
from vision_agent.local.engine.speech.speech_network import MAX_PHONEMES, SpeechNetwork
from vision_agent.local.engine.speech.spoken_text import spoken
from vision_agent.local.engine.speech.text import MAX_SENTENCE_S
from vision_agent.local.engine.speech.vocoder import sound
from vision_agent.local.engine.speech.worker import SynthesisError
from vision_agent.local.engine.speech.worker_messages import Order
from vision_agent.local.engine.weights import VOICE, voice_tables


class Hibari:
    """The one English synthesiser of this process.

    Raises:
        WeightsError: The network or one of its tables is missing or damaged.
    """

    def __init__(self) -> None:
        tables = voice_tables()
        self._phonemizer = Phonemizer(tables)
        self._network = SpeechNetwork(VOICE.path(), tables / "vocab.json")

    def speak(self, order: Order, on_samples: Callable[[Floats], bool]) -> None:
        """Synthesises an English text, in about 1 % of the duration of the speech.

        Args:
            order: The text; its languages are ignored.
            on_samples: Called during the synthesis with less than a second of mono at 24 kHz, full
                scale 1; returning false ends the synthesis.

        Raises:
            SynthesisError: The text has no pronunciation.
        """
        room = MAX_SENTENCE_S * OUTPUT_RATE_HZ
        for phonemes in _parts(self._phonemes(order.text)):
            frames = self._network.frames(phonemes, order.voice.english.pace)
            if frames is None:
                continue
            for level in sound(frames, order.voice.english):
                room -= len(level)
                if not on_samples(level) or room <= 0:
                    return

    def _phonemes(self, text: str) -> str:
        try:
            return str(self._phonemizer(spoken(text)))
        except Exception as error:
            # Arbitrary text reaches rules that were written for prose.
            raise SynthesisError(f"hibari can't read {text!r} ({error!r}).") from error


def _parts(phonemes: str) -> list[str]:
    """Splits phonemes between words, so that each part is short enough for the network."""
    parts = []
    while len(phonemes) > MAX_PHONEMES:
        cut = phonemes.rfind(" ", 0, MAX_PHONEMES) + 1 or MAX_PHONEMES
        parts.append(phonemes[:cut])
        phonemes = phonemes[cut:]
    return [*parts, phonemes]
