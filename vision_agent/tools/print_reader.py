"""Reads printed text with rapidocr and the models in its wheel."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MIN_SCORE = 0.85
MIN_LETTERS = 3
"""Shorter lines are too often misread reflections and edges."""


class PrintReader:
    """Reads the lines of a frame; the first read loads the models, which takes half a second."""

    def __init__(self) -> None:
        self._ocr: Any = None

    def read(self, pixels: npt.NDArray[np.uint8]) -> list[str]:
        """The lines that are confidently recognised as text, from top to bottom.

        Blocks for a third of a second.

        Args:
            pixels: BGR, ``(height, width, 3)``.
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
    import rapidocr  # imported here: it takes a second, which only reading text should cost

    models = Path(rapidocr.__file__).parent / "models"
    reader = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            # With explicit paths rapidocr searches for no other models and downloads none.
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
