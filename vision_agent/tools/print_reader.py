"""Printed text, read by rapidocr with the models that its wheel carries."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MIN_SCORE = 0.85
MIN_LETTERS = 3
"""Shorter lines are too often reflections and edges."""


class PrintReader:
    """Reads the lines of a picture; loads its models (half a second) when it first reads."""

    def __init__(self) -> None:
        self._ocr: Any = None

    def read(self, pixels: npt.NDArray[np.uint8]) -> list[str]:
        """The lines of a BGR picture that are surely text, from top to bottom.

        Blocks for a third of a second.
        """
        if self._ocr is None:
            self._ocr = _load()
        result = self._ocr(pixels)
        if result.txts is None:
            return []
        return [
            " ".join(text.split())
            for text, score in zip(result.txts, result.scores, strict=True)
            if score >= MIN_SCORE and sum(c.isalnum() for c in text) >= MIN_LETTERS
        ]


def _load() -> Any:
    import rapidocr  # here and not on top: it takes a second, which only who reads should pay

    models = Path(rapidocr.__file__).parent / "models"
    reader = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            # Named paths, so that it looks for no others and has nothing to download.
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "Det.limit_side_len": 480,
            "Det.limit_type": "min",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return reader
