"""QR codes and barcodes are decoded, without false positives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.local.engine.sight.sight_frames import (
    filled,
    film,
    noise,
    shot,
    with_barcode,
    with_qr_code,
    written,
)
from vision_agent.local.engine.sight.barcodes import Codes
from vision_agent.local.engine.sight.observations import Code

LINK = "https://example.com/table/7"


@pytest.fixture(scope="module")
def codes() -> Codes:
    return Codes()


@pytest.mark.parametrize("side_px", [120, 160, 240, 360])
@pytest.mark.parametrize("turn_deg", [0, 5, -12, 20])
def test_a_qr_code_is_decoded_at_any_size_and_slightly_turned(
    codes: Codes, side_px: int, turn_deg: float
) -> None:
    pixels = shot(with_qr_code(LINK, side_px, turn_deg=turn_deg))

    assert codes.find(pixels) == (Code("QR code", LINK, "in the middle"),)


def test_two_codes_are_told_from_left_to_right(codes: Codes) -> None:
    left = with_qr_code("first", 180, at=(130, 240))
    both = np.where(
        np.arange(640)[None, :, None] < 320, left, with_qr_code("second", 180, at=(510, 240))
    )

    assert codes.find(shot(both)) == (
        Code("QR code", "first", "on the left"),
        Code("QR code", "second", "on the right"),
    )


def test_text_beyond_ascii_is_decoded(codes: Codes) -> None:
    found = codes.find(shot(with_qr_code("Grüße aus Köln", 240)))

    assert [code.text for code in found] == ["Grüße aus Köln"]


def test_a_barcode_is_decoded(codes: Codes) -> None:
    assert codes.find(shot(with_barcode("4006381333931"))) == (
        Code("barcode", "4006381333931", "in the middle"),
    )


def test_no_code_is_seen_where_there_is_none(codes: Codes) -> None:
    frames = [
        noise(),
        shot(filled((128, 128, 128))),
        shot(written(["QR CODE", "|||| | |||"], 36)),
    ]
    chessboard = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((50, 50))) * 255
    frames.append(shot(cv2.cvtColor(chessboard.astype(np.uint8), cv2.COLOR_GRAY2BGR)))
    frames += film(range(1, 39, 12))

    assert [codes.find(pixels) for pixels in frames] == [()] * len(frames)
