"""Sentences as vectors, by all-MiniLM-L6-v2, computed in int8 (see `weights`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vision_agent.local.engine.language.integer_products import in_8_bits
from vision_agent.local.engine.language.token_table import rows_first
from vision_agent.local.engine.weights import SENTENCE_ENCODER, SENTENCE_TOKENIZER
from vision_agent.onnx_session import onnx_session

MOST_TOKENS = 48
"""Twice the longest request; the rest of a sentence is cut off."""

_BATCH = 16
_DIMENSIONS = 384

Vectors = NDArray[np.float32]
"""One sentence a row, 384 numbers each, of length 1: their product is the cosine."""


class SentenceEncoder:
    """Encodes sentences with one thread: 2 ms for one and for each of many.

    Loading takes 0.2 s and 32 MB.

    Raises:
        WeightsError: A file of weights is missing or damaged.
    """

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(SENTENCE_TOKENIZER.path()))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.enable_padding()
        path = SENTENCE_ENCODER.path()
        self._session = onnx_session(path, in_8_bits(rows_first(path.read_bytes())))

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """The vectors of the sentences, in their order."""
        # Those of a batch are padded to its longest.
        by_length = sorted(range(len(sentences)), key=lambda at: len(sentences[at]))
        vectors = np.empty((len(sentences), _DIMENSIONS), np.float32)
        for begin in range(0, len(sentences), _BATCH):
            batch = by_length[begin : begin + _BATCH]
            vectors[batch] = self._encode([sentences[at] for at in batch])
        return vectors

    def _encode(self, sentences: Sequence[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(list(sentences))
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(None, inputs)
        # The model's own pooling: the mean of the tokens. Its division by their number cancels out.
        summed = (hidden * mask[..., None]).sum(1)
        vectors: Vectors = summed / np.linalg.norm(summed, axis=1, keepdims=True)
        return vectors.astype(np.float32)
