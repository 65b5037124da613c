"""Frames for the tests of sight: drawn, then degraded as by a camera and a call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from tests.local.recordings import RECORDINGS

Pixels = npt.NDArray[np.uint8]

SHADES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((200, 30, 30), (180, 40, 45), (225, 45, 40), (140, 20, 25)),
    "orange": ((240, 130, 30), (230, 110, 20), (255, 150, 40), (245, 140, 60)),
    "yellow": ((240, 210, 40), (250, 225, 80), (230, 200, 30), (245, 235, 120)),
    "green": ((40, 140, 60), (60, 180, 75), (20, 90, 40), (110, 180, 60)),
    "blue": ((40, 70, 180), (30, 110, 210), (20, 35, 110), (130, 180, 230)),
    "purple": ((130, 50, 160), (100, 60, 160), (90, 30, 110), (150, 100, 200)),
    "pink": ((240, 130, 170), (250, 170, 190), (255, 105, 180), (235, 150, 180)),
    "brown": ((110, 65, 30), (139, 80, 40), (90, 55, 35), (121, 85, 72)),
    "black": ((15, 15, 15), (30, 30, 32), (35, 32, 30), (0, 0, 0)),
    "white": ((250, 250, 250), (240, 240, 240), (235, 238, 240), (245, 243, 240)),
    "grey": ((128, 128, 128), (110, 112, 115), (150, 150, 148), (100, 100, 100)),
}
"""RGB shades that anybody would call by this name."""

DAYLIGHT = (1.0, 1.0, 1.0)
WARM = (1.06, 1.0, 0.88)
COOL = (0.92, 0.99, 1.07)
"""Colour casts: gains of red, green and blue."""


def jpeg(pixels: Pixels, quality: int = 75) -> bytes:
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return bytes(data)


def jpegged(pixels: Pixels, quality: int = 75) -> Pixels:
    return np.asarray(
        cv2.imdecode(np.frombuffer(jpeg(pixels, quality), np.uint8), cv2.IMREAD_COLOR), np.uint8
    )


def shot(
    pixels: Pixels,
    *,
    cast: Sequence[float] = DAYLIGHT,
    noise: float = 3.0,
    blur_px: float = 0.8,
    exposure: float = 1.0,
    shift_px: tuple[float, float] = (0.0, 0.0),
    turn_deg: float = 0.0,
    seed: int = 1,
) -> Pixels:
    """The BGR frame as a camera would have sent it."""
    if turn_deg or any(shift_px):
        height, width = pixels.shape[:2]
        moved = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1)
        moved[:, 2] += shift_px
        pixels = cv2.warpAffine(pixels, moved, (width, height), borderMode=cv2.BORDER_REFLECT)
    light = cv2.GaussianBlur(pixels, (0, 0), blur_px).astype(np.float32)
    light *= exposure * np.array(cast[::-1], np.float32)
    light += noise * _noise(seed, light.shape)
    return jpegged(np.clip(light, 0, 255).astype(np.uint8))


@lru_cache(8)
def _noise(seed: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """A sensor's noise, kept for each size and seed: making it takes half of a shot's time."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def filled(rgb: Sequence[int], size: tuple[int, int] = (640, 480)) -> Pixels:
    """One colour all over; ``size`` is width and height."""
    return np.full((size[1], size[0], 3), rgb[::-1], np.uint8)


def patch(rgb: Sequence[int], background: Sequence[int]) -> Pixels:
    """A thing in the middle of a background that is shaded a little, as any wall is."""
    pixels = filled(background, (400, 300)).astype(np.float64)
    pixels *= np.linspace(0.95, 1.05, pixels.shape[1])[None, :, None]
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    cv2.ellipse(pixels, (206, 156), (60, 75), 15, 0, 360, bgr(rgb), -1)
    return pixels


def bgr(rgb: Sequence[int]) -> tuple[int, int, int]:
    return int(rgb[2]), int(rgb[1]), int(rgb[0])


def noise(seed: int = 3) -> Pixels:
    random = np.random.default_rng(seed).integers(0, 256, (480, 640, 3))
    return jpegged(random.astype(np.uint8))


@cache
def _film() -> tuple[Pixels, ...]:
    """Each half second of bottle.mp4; one process decodes it once."""
    film = cv2.VideoCapture(str(RECORDINGS / "bottle.mp4"))
    rate_hz = film.get(cv2.CAP_PROP_FPS)
    frames: list[Pixels] = []
    at = 0
    while film.grab():
        if at == round(len(frames) / 2 * rate_hz):
            frames.append(np.asarray(film.retrieve()[1], np.uint8))
        at += 1
    film.release()
    return tuple(frames)


@cache
def _film_frame(half_seconds: int) -> Pixels:
    return jpegged(_film()[half_seconds], 70)


def film(at_s: Sequence[float]) -> list[Pixels]:
    """Frames of bottle.mp4 at whole and half seconds, as a call sends them."""
    return [_film_frame(round(2 * second)) for second in at_s]


def written(
    lines: Sequence[str],
    height_px: int,
    *,
    ink: Sequence[int] = (20, 20, 20),
    paper: Sequence[int] = (240, 240, 235),
    font: int = cv2.FONT_HERSHEY_SIMPLEX,
) -> Pixels:
    """Lines of text, capitals ``height_px`` tall, from the top left."""
    pixels = filled(paper)
    thickness = max(1, round(height_px / 12))
    scale = cv2.getFontScaleFromHeight(font, height_px, thickness)
    for index, line in enumerate(lines):
        at = (40, 60 + round(index * 2.1 * height_px))
        cv2.putText(pixels, line, at, font, scale, bgr(ink), thickness, cv2.LINE_AA)
    return pixels


def with_qr_code(
    text: str, side_px: int, *, turn_deg: float = 0.0, at: tuple[int, int] = (320, 240)
) -> Pixels:
    """A QR code with its quiet zone, on a brown table."""
    modules = cv2.copyMakeBorder(
        cv2.QRCodeEncoder.create().encode(text), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255,)
    )
    code = cv2.resize(modules, (side_px, side_px), interpolation=cv2.INTER_NEAREST)
    return _laid(cv2.cvtColor(code, cv2.COLOR_GRAY2BGR), filled((150, 130, 110)), at, turn_deg)


def with_barcode(digits: str, module_px: int = 3) -> Pixels:
    """An EAN-13 barcode (GS1 General Specifications, 5.2.1) on white."""
    # The standard's number set A; set C is its complement, and set B is C reversed.
    odd = [
        *("0001101", "0011001", "0010011", "0111101", "0100011"),
        *("0110001", "0101111", "0111011", "0110111", "0001011"),
    ]
    right = ["".join("10"[int(bit)] for bit in code) for code in odd]
    even = [code[::-1] for code in right]
    parity = [
        *("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG"),
        *("LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"),
    ]
    first = parity[int(digits[0])]
    bits = "101"
    for digit, kind in zip(digits[1:7], first, strict=True):
        bits += (odd if kind == "L" else even)[int(digit)]
    bits += "01010" + "".join(right[int(digit)] for digit in digits[7:]) + "101"
    row = np.array([0 if bit == "1" else 255 for bit in bits], np.uint8)
    bars = np.repeat(np.tile(row, (160, 1)), module_px, axis=1)
    return _laid(cv2.cvtColor(bars, cv2.COLOR_GRAY2BGR), filled((255, 255, 255)), (320, 240), 0)


def _laid(piece: Pixels, pixels: Pixels, at: tuple[int, int], turn_deg: float) -> Pixels:
    height, width = piece.shape[:2]
    laid = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1)
    laid[:, 2] += (at[0] - width / 2, at[1] - height / 2)
    size = (pixels.shape[1], pixels.shape[0])
    over = cv2.warpAffine(np.full_like(piece, 255), laid, size) > 127
    return np.asarray(np.where(over, cv2.warpAffine(piece, laid, size), pixels), np.uint8)


def with_faces(*centres_x_px: int, scale: float = 1.0) -> Pixels:
    """Drawn faces: simple, but found by BlazeFace."""
    pixels = filled((190, 190, 185))
    for x_px in centres_x_px:
        _draw_face(pixels, x_px, 230, scale)
    return pixels


def _draw_face(pixels: Pixels, x_px: int, y_px: int, scale: float) -> None:
    def oval(x: float, y: float, a: float, b: float, rgb: tuple[int, int, int]) -> None:
        centre = (round(x_px + x * scale), round(y_px + y * scale))
        axes = (round(a * scale), round(b * scale))
        cv2.ellipse(pixels, centre, axes, 0, 0, 360, bgr(rgb), -1, cv2.LINE_AA)

    oval(0, 190, 150, 120, (60, 70, 110))  # shoulders
    oval(0, 110, 40, 60, (195, 150, 120))  # neck
    oval(0, -25, 98, 112, (60, 45, 35))  # hair
    oval(0, 10, 82, 105, (215, 170, 140))
    oval(0, -90, 70, 30, (60, 45, 35))
    for side in (-1, 1):
        oval(side * 34, -12, 24, 14, (165, 120, 95))  # the hollow of the eye
        oval(side * 34, -30, 22, 5, (70, 50, 40))
        oval(side * 34, -10, 14, 7, (235, 230, 225))
        oval(side * 34, -10, 7, 7, (50, 35, 30))
        oval(side * 48, 35, 20, 16, (228, 184, 154))  # cheek
    oval(0, 15, 9, 28, (228, 186, 156))  # nose
    oval(-9, 40, 6, 4, (150, 105, 85))
    oval(9, 40, 6, 4, (150, 105, 85))
    oval(0, 68, 28, 8, (165, 85, 80))  # mouth
    oval(0, 92, 30, 8, (190, 146, 120))
