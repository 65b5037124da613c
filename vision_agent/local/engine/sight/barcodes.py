"""QR codes and barcodes, found and decoded by OpenCV."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import cv2
import numpy as np
from cv2.typing import MatLike

from vision_agent.local.engine.sight.camera_frame import Box, Pixels, grey
from vision_agent.local.engine.sight.observations import Code
from vision_agent.local.engine.sight.places import place

MAX_TEXT = 500
"""Most characters of a code that are reported. A QR code holds up to 4,296 (ISO/IEC 18004)."""

ENLARGE_UP_TO_PX = 960
"""A frame up to this wide is searched a second time, at twice its size."""


class Codes:
    """Finds codes. Not thread-safe: one thread at a time."""

    def __init__(self) -> None:
        self._qr = (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector())
        self._barcode = cv2.barcode.BarcodeDetector()
        self._lock = threading.Lock()

    def find(self, pixels: Pixels) -> tuple[Code, ...]:
        """The decoded codes in a BGR frame, each once, from left to right."""
        plain = grey(pixels)
        found: dict[tuple[str, str], Box] = {}
        with self._lock:
            for view in _views(plain):
                for kind, text, box in (*self._qr_codes(view), *self._barcodes(view)):
                    found.setdefault((kind, text), box)
                if found:
                    break
        in_order = sorted(found.items(), key=lambda item: item[1].x + item[1].width / 2)
        return tuple(
            Code(kind, text, place(box.x + box.width / 2, 1.0), box)
            for (kind, text), box in in_order
        )

    def _qr_codes(self, view: Pixels) -> list[tuple[str, str, Box]]:
        # Both detectors run: each sometimes misses a code that the other decodes.
        found = []
        for detector in self._qr:
            done, contents, corners, _ = detector.detectAndDecodeBytesMulti(view)
            if done:
                found += [
                    ("QR code", _text(content), _box(corner, view))
                    for content, corner in zip(contents, corners, strict=False)
                    if content
                ]
        return found

    def _barcodes(self, view: Pixels) -> list[tuple[str, str, Box]]:
        done, contents, _, corners = self._barcode.detectAndDecodeWithType(view)
        if not done:
            return []
        return [
            ("barcode", content, _box(corner, view))
            for content, corner in zip(contents, corners, strict=False)
            if content
        ]


def _views(plain: Pixels) -> Iterator[Pixels]:
    """The grey frame as it is, then enlarged: small codes are found only in the enlarged one."""
    yield plain
    if plain.shape[1] <= ENLARGE_UP_TO_PX:
        larger = cv2.resize(plain, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        yield np.asarray(larger, np.uint8)


def _box(corners: MatLike, view: Pixels) -> Box:
    height_px, width_px = view.shape[:2]
    shares = np.clip(np.reshape(corners, (-1, 2)) / (width_px, height_px), 0, 1)
    (left, top), (right, bottom) = shares.min(axis=0), shares.max(axis=0)
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def _text(content: bytes) -> str:
    """A code's bytes as text: UTF-8, or else Latin-1, the standard's default."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
