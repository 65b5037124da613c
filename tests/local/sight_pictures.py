"""Pictures for the tests of sight: drawn, then spoiled the way a camera and a call spoil them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

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
"""Red, green, blue of things one would call so without hesitating."""

DAYLIGHT = (1.0, 1.0, 1.0)
WARM = (1.06, 1.0, 0.88)
COOL = (0.92, 0.99, 1.07)
"""Casts: gains of red, green and blue."""


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
    """The BGR picture as a camera would have sent it."""
    height, width = pixels.shape[:2]
    moved = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1)
    moved[:, 2] += shift_px
    picture = cv2.warpAffine(pixels, moved, (width, height), borderMode=cv2.BORDER_REFLECT)
    light = cv2.GaussianBlur(picture, (0, 0), blur_px).astype(np.float64)
    light *= exposure * np.array(cast[::-1])
    light += np.random.default_rng(seed).normal(0, noise, light.shape)
    return jpegged(np.clip(light, 0, 255).astype(np.uint8))


def filled(rgb: Sequence[int], size: tuple[int, int] = (640, 480)) -> Pixels:
    """One colour all over; ``size`` is width and height."""
    return np.full((size[1], size[0], 3), rgb[::-1], np.uint8)


def patch(rgb: Sequence[int], background: Sequence[int]) -> Pixels:
    """A thing in the middle of a background that is shaded a little, as any wall is."""
    picture = filled(background).astype(np.float64)
    picture *= np.linspace(0.95, 1.05, picture.shape[1])[None, :, None]
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    cv2.ellipse(picture, (330, 250), (95, 120), 15, 0, 360, bgr(rgb), -1)
    return picture


def bgr(rgb: Sequence[int]) -> tuple[int, int, int]:
    return int(rgb[2]), int(rgb[1]), int(rgb[0])


def noise(seed: int = 3) -> Pixels:
    random = np.random.default_rng(seed).integers(0, 256, (480, 640, 3))
    return jpegged(random.astype(np.uint8))


def frames_of(path: str, every: int = 60) -> list[Pixels]:
    """Some frames of a film, as a call sends them."""
    film = cv2.VideoCapture(path)
    frames = []
    at = 0
    while film.grab():
        if at % every == 0:
            frames.append(jpegged(np.asarray(film.retrieve()[1], np.uint8), 70))
        at += 1
    film.release()
    return frames
