"""Reads printed text with PP-OCRv6 (rapidocr) and the models in its wheel."""

from __future__ import annotations

import logging
import re
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.camera_frame import Box, Pixels
from vision_agent.local.engine.sight.observations import TextLine
from vision_agent.local.engine.sight.places import place
from vision_agent.malloc_trim import trim

MIN_SCORE = 0.8
"""Least score of a line. Photographs without text give lines with lower scores."""

MIN_SCORE_SHORT = 0.9
"""Least score of a line of one or two characters, which a corner or a reflection may resemble."""

MIN_SCORE_LONE = 0.97
MIN_HEIGHT_LONE = 0.08
"""Least score, and least share of the frame's height, of a single character in a frame without
words."""

MIN_HEIGHT_PX = 8

ENOUGH_CHARS = 500
"""About as many characters as an answer reads out. The rest of a page is not read, because a line
costs 150 ms."""

CHARS_PER_SQUARE = 1.8
"""Characters of a line in a stretch as long as the line is high."""

THREADS = 1
"""Threads of onnxruntime for one operator. Two threads take 520 ms of CPU a frame instead of 300,
because they busy-wait for each other, and two looks at once keep two cores busy anyway."""

Corners = npt.NDArray[np.float32]

_DASHES = str.maketrans(dict.fromkeys("\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "-"))


class Reader:
    """Reads printed text, one frame at a time. Its models (31 MB) are loaded on construction.

    Raises:
        RuntimeError: rapidocr's wheel no longer carries the models named here.
    """

    def __init__(self) -> None:
        # Imported here: the import takes a second, which only reading text should cost.
        import rapidocr

        models = Path(rapidocr.__file__).parent / "models"
        detector = models / "PP-OCRv6_det_small.onnx"
        recogniser = models / "PP-OCRv6_rec_small.onnx"
        for model in (detector, recogniser):
            if not model.is_file():
                raise RuntimeError(f"rapidocr came without {model.name}; nothing is fetched.")
        self._lock = threading.Lock()
        self._ocr: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.text_score": 0.0,  # checked below, where the line's length counts too
                # With explicit paths rapidocr searches for no other models and downloads none.
                "Det.model_path": str(detector),
                "Rec.model_path": str(recogniser),
                "Det.limit_side_len": 480,
                "Det.limit_type": "min",
                "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def read(self, pixels: Pixels, enough_chars: int | None = None) -> tuple[TextLine, ...]:
        """The lines in a BGR frame that are surely text, in reading order.

        Args:
            pixels: The frame.
            enough_chars: From the top, about so many characters are read; None for all.
        """
        with self._lock:
            pieces = self._pieces(pixels, enough_chars)
        # Each run frees 80 to 200 MB in pieces that glibc would keep.
        trim()
        height_px, width_px = pixels.shape[:2]
        sure = without_doubtful_marks([piece for piece in pieces if piece.is_sure()], height_px)
        return tuple(
            TextLine(
                line.text,
                line.score,
                place((line.left + line.right) / 2, width_px),
                line.box(width_px, height_px),
            )
            for line in _in_lines(sure)
        )

    def _pieces(self, pixels: Pixels, enough_chars: int | None) -> list[_Piece]:
        from rapidocr.utils.process_img import get_rotate_crop_image

        found = self._ocr(pixels, use_det=True, use_rec=False).boxes
        if found is None or not len(found):
            return []
        boxes = [np.asarray(box, np.float32) for box in found]
        if enough_chars is not None:
            boxes = first_boxes(boxes, enough_chars)
        read = self._ocr.recognize_txt([get_rotate_crop_image(pixels, box) for box in boxes])
        return [
            _Piece.of(text, float(score), box.astype(np.float64))
            for text, score, box in zip(read.txts, read.scores, boxes, strict=True)
            if text.strip()
        ]


def first_boxes(boxes: list[Corners], chars: int) -> list[Corners]:
    """The topmost boxes of lines, each ``(4, 2)`` pixels, that hold about this many characters."""
    kept, so_far = [], 0.0
    for box in sorted(boxes, key=lambda box: float(box[:, 1].min())):
        if so_far >= chars:
            break
        width, height = (box.max(axis=0) - box.min(axis=0)).tolist()
        so_far += CHARS_PER_SQUARE * max(width, height) / max(1.0, min(width, height))
        kept.append(box)
    return kept


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text in a box; edges in pixels."""

    text: str
    score: float
    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def of(cls, text: str, score: float, box: np.ndarray[Any, Any]) -> _Piece:
        # The model is trained on Chinese too and reads some punctuation as full-width forms.
        plain = " ".join(unicodedata.normalize("NFKC", text).translate(_DASHES).split())
        # The model drops the space after a colon: "Total:48.50". A clock's colon follows a digit.
        plain = re.sub(r"(?<=[^\W\d]):(?=\w)", ": ", plain)
        # And the one after the NO of a sign: "NOPARKING".
        plain = re.sub(r"\bNO(?=[A-Z]{3,}ING\b|ENTRY\b|EXIT\b)", "NO ", plain)
        (left, top), (right, bottom) = box.min(axis=0).tolist(), box.max(axis=0).tolist()
        return cls(plain, score, left, right, top, bottom)

    @property
    def letters(self) -> int:
        return sum(character.isalnum() for character in self.text)

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def box(self, width_px: int, height_px: int) -> Box:
        left, top = max(0.0, self.left / width_px), max(0.0, self.top / height_px)
        right, bottom = min(1.0, self.right / width_px), min(1.0, self.bottom / height_px)
        return Box(left, top, max(0.0, right - left), max(0.0, bottom - top))

    def is_sure(self) -> bool:
        if self.letters == 0 or self.height < MIN_HEIGHT_PX:
            return False
        return self.score >= (MIN_SCORE_SHORT if self.letters <= 2 else MIN_SCORE)

    def is_beside(self, other: _Piece) -> bool:
        """Whether the other piece follows in the same row, without the gap between two columns."""
        overlap = min(self.bottom, other.bottom) - max(self.top, other.top)
        gap = other.left - self.right
        height = min(self.height, other.height)
        return overlap > 0.6 * height and -height < gap < 1.2 * max(self.height, other.height)

    def joined(self, other: _Piece) -> _Piece:
        return _Piece(
            f"{self.text} {other.text}",
            min(self.score, other.score),
            min(self.left, other.left),
            max(self.right, other.right),
            min(self.top, other.top),
            max(self.bottom, other.bottom),
        )


def without_doubtful_marks(pieces: list[_Piece], height_px: int) -> list[_Piece]:
    """The pieces without doubtful single characters: the rim of a cup is read as 8.

    A single character counts if there is a word in the same frame, or if it is large and has a high
    score, as one that is held up to the camera has.
    """
    if any(piece.letters > 1 for piece in pieces):
        return pieces
    return [
        piece
        for piece in pieces
        if piece.score >= MIN_SCORE_LONE and piece.height >= MIN_HEIGHT_LONE * height_px
    ]


def _in_lines(pieces: list[_Piece]) -> list[_Piece]:
    """Joins pieces side by side to lines, and orders them from top to bottom and left to right."""
    lines: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.left):
        for index, line in enumerate(lines):
            if line.is_beside(piece):
                lines[index] = line.joined(piece)
                break
        else:
            lines.append(piece)
    lines.sort(key=lambda line: (line.top + line.bottom) / 2)
    ordered: list[_Piece] = []
    row: list[_Piece] = []
    for line in lines:
        if row and (line.top + line.bottom) / 2 > row[0].bottom:
            ordered += sorted(row, key=lambda line: line.left)
            row = []
        row.append(line)
    return ordered + sorted(row, key=lambda line: line.left)
