"""Whisper (Radford et al. 2022) on CTranslate2: the words of up to ten seconds of speech."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from vision_agent.local.engine.hearing.log_mel import RATE_HZ, log_mel
from vision_agent.local.engine.hearing.whisper_text import Hypothesis, is_noise, once, text_of

WINDOW_S = 10
"""A window of 30 s, which Whisper was trained with, takes five times as long; in one of 6 s it
repeats itself without end."""

_FRAMES_A_SECOND = 100
_TOKENS_A_SECOND, _MORE_TOKENS = 8, 10  # more than the fastest speaker needs
_BEAM = 5
_CANDIDATES = 5
_MOST_BEHIND, _CLOSE_BEHIND = 0.4, 0.2
"""How far the mean log probability of an alternative text may be below the best one's, and how far
for a text that counts as about as likely."""

_REPETITION_PENALTY = 1.1  # reduces what `whisper_text.once` has to remove


class Whisper:
    """One model, one thread; one sound at a time.

    Args:
        folder: A model that was converted for CTranslate2. It is not read later on.

    Raises:
        RuntimeError: The folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        # int8 takes 78 MB where float32 takes 265 (tiny.en), with the same accuracy.
        self._model = ctranslate2.models.Whisper(
            str(folder),
            device="cpu",
            compute_type="int8",
            inter_threads=1,
            intra_threads=1,
        )
        languages = ["<|en|>", "<|transcribe|>"] if self._model.is_multilingual else []
        self._prompt = ["<|startoftranscript|>", *languages, "<|notimestamps|>"]

    def warm_up(self) -> None:
        """Decode a second of silence: the first sound takes half a window's time longer."""
        self._generate(np.zeros(RATE_HZ, np.float32), window_s=1, most_tokens=1)

    def hear(self, pcm: bytes) -> Hypothesis:
        """The words in a sound; without text if there are none.

        Args:
            pcm: s16le mono 16 kHz, up to `WINDOW_S`; the rest is dropped.
        """
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        seconds = min(WINDOW_S, len(samples) / RATE_HZ)
        most_tokens = int(_MORE_TOKENS + _TOKENS_A_SECOND * seconds)
        result = self._generate(samples, WINDOW_S, most_tokens)
        texts = [once(text_of(tokens), seconds) for tokens in result.sequences]
        best = result.scores[0]
        behind: dict[str, float] = {}
        for text, score in zip(texts, result.scores, strict=True):
            behind.setdefault(text, best - score)
        others = [text for text in list(behind)[1:] if behind[text] <= _MOST_BEHIND]
        found = Hypothesis(
            texts[0],
            round(best, 3),
            round(result.no_speech_prob, 3),
            tuple(others),
            sum(behind[text] <= _CLOSE_BEHIND for text in others),
        )
        return Hypothesis("", found.log_probability, found.no_speech) if is_noise(found) else found

    def _generate(
        self, samples: NDArray[np.floating], window_s: int, most_tokens: int
    ) -> ctranslate2.models.WhisperGenerationResult:
        features = log_mel(samples, _FRAMES_A_SECOND * window_s, self._model.n_mels)[None]
        [result] = self._model.generate(
            ctranslate2.StorageView.from_array(features),
            [self._prompt],
            beam_size=_BEAM,
            repetition_penalty=_REPETITION_PENALTY,
            num_hypotheses=_CANDIDATES,
            max_length=len(self._prompt) + most_tokens,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return result
