"""hibari's network: phonemes to the spectra of a voice, on one thread."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_agent.onnx_session import onnx_session

Floats = NDArray[np.float32]

MAX_PHONEMES = 400
"""The most phonemes of a run. The network was trained with no more; longer runs sound worse."""


@dataclass(frozen=True, slots=True)
class SpeechFrames:
    """The network's output for each 12.5 ms; each array is 601 frequencies of 20 Hz by frames.

    Attributes:
        harmonic: Natural logarithm of the harmonics' amplitude.
        harmonic_phase: Their phase; its hyperbolic tangent is a fraction of pi.
        free: Natural logarithm of the aperiodic part's amplitude: breath, fricatives, bursts.
        free_phase: Its phase in radians.
        pitch_hz: The fundamental of each frame, below 40 Hz if unvoiced.
    """

    harmonic: Floats
    harmonic_phase: Floats
    free: Floats
    free_phase: Floats
    pitch_hz: Floats

    def part(self, part: slice) -> SpeechFrames:
        """A part of the frames."""
        return SpeechFrames(
            self.harmonic[:, part],
            self.harmonic_phase[:, part],
            self.free[:, part],
            self.free_phase[:, part],
            self.pitch_hz[part],
        )


class SpeechNetwork:
    """The network, loaded.

    Args:
        model: hibari's ONNX file.
        vocabulary: The table that numbers its phonemes.
    """

    def __init__(self, model: Path, vocabulary: Path) -> None:
        self._session = onnx_session(model)
        self._numbers: dict[str, int] = json.loads(vocabulary.read_bytes())

    def frames(self, phonemes: str, pace: float) -> SpeechFrames | None:
        """Runs the network, about 4 ms for a second of speech.

        Args:
            phonemes: At most `MAX_PHONEMES`; unknown characters are skipped.
            pace: The speaking rate; 1 is the network's own, 2 is twice as fast.

        Returns:
            The frames; None if no phoneme is known.
        """
        numbers = [self._numbers[each] for each in phonemes if each in self._numbers]
        if not numbers:
            return None
        harmonic, harmonic_phase, _, free, free_phase, pitch_hz = (
            output[0]
            for output in self._session.run(
                None,
                {
                    "ids": np.array([[0, *numbers, 0]], np.int64),
                    "speed": np.array([pace], np.float32),
                },
            )
        )
        return SpeechFrames(harmonic, harmonic_phase, free, free_phase, pitch_hz)
