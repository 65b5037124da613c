"""Drawn scenes with known contents: things to count, to follow, to teach and to find again.

The recording was annotated by eye: how many bottles stand there, and when something moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tests.local.engine.sight.sight_frames import (
    SHADES,
    Pixels,
    bgr,
    filled,
    jpeg,
    shot,
)
from vision_agent.local.contract import SeenFrame

BOTTLES = (
    *((0.0, 5.5, 3), (7.5, 11.0, 2), (13.5, 15.5, 3), (18.0, 21.5, 1), (24.5, 27.0, 2)),
    *((29.0, 31.0, 3), (32.5, 34.5, 2), (37.0, 39.5, 3)),
)
"""(from, to, number): how many bottles stand in bottle.mp4, in seconds with no hand near them."""

STILL_S = (2, 3, 4, 5, 20, 21, 27, 39)
MOVING_S = {
    **dict.fromkeys((6, 7, 12, 13, 28), "on the left"),
    **dict.fromkeys((22, 23, 24), "in the middle"),
    **dict.fromkeys((31, 32, 35, 36), "on the right"),
}
"""The seconds of bottle.mp4 before which nothing has moved for a second, or something there has."""


def wall(seed: int = 0) -> Pixels:
    """A plain wall, shaded from one side to the other."""
    random = np.random.default_rng(1000 + seed)
    light = int(random.integers(130, 220))
    pixels = filled((light, light, round(0.95 * light))).astype(np.float64)
    pixels *= np.linspace(0.85, 1.1, pixels.shape[1])[None, :, None]
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)


def textured(seed: int, width: int = 180, height: int = 220) -> Pixels:
    """A thing with a unique pattern: spots, strokes and letters on a ground."""
    random = np.random.default_rng(seed)
    ground = [int(value) for value in random.integers(30, 230, 3)]
    pixels = np.full((height, width, 3), ground, np.uint8)
    for _ in range(14):
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        x, y = int(random.integers(width)), int(random.integers(height))
        kind = random.integers(3)
        if kind == 0:
            cv2.circle(pixels, (x, y), int(random.integers(4, width // 5)), colour, -1, cv2.LINE_AA)
        elif kind == 1:
            end = (int(random.integers(width)), int(random.integers(height)))
            cv2.line(pixels, (x, y), end, colour, int(random.integers(2, 8)), cv2.LINE_AA)
        else:
            letter = chr(65 + int(random.integers(26)))
            size = float(random.uniform(0.6, 2))
            cv2.putText(pixels, letter, (x, y), 0, size, colour, 3, cv2.LINE_AA)
    return pixels


def plain_shape(kind: str) -> Pixels:
    """A shape without any detail, white on black: "mug", "disc", "bar" or "star"."""
    mask = np.zeros((220, 240), np.uint8)
    if kind == "mug":
        cv2.rectangle(mask, (20, 20), (160, 200), 255, -1)
        cv2.circle(mask, (165, 105), 55, 255, 18)
    elif kind == "disc":
        cv2.circle(mask, (120, 110), 90, 255, -1)
    elif kind == "bar":
        cv2.rectangle(mask, (90, 10), (150, 210), 255, -1)
    else:
        turns = [(95 if k % 2 == 0 else 40, k * np.pi / 5) for k in range(10)]
        points = [[120 + r * np.sin(angle), 110 - r * np.cos(angle)] for r, angle in turns]
        cv2.fillPoly(mask, [np.array(points, np.int32)], 255)
    return mask


def coloured_shape(kind: str, rgb: Sequence[int]) -> tuple[Pixels, Pixels]:
    """A plain shape in a colour, and its mask; see `held_up`."""
    mask = plain_shape(kind)
    return np.full((*mask.shape, 3), bgr(rgb), np.uint8), mask


def held_up(
    thing: Pixels,
    before: Pixels,
    *,
    mask: Pixels | None = None,
    at: tuple[float, float] = (320, 240),
    turn_deg: float = 0.0,
    scale: float = 1.0,
    tilt: float = 0.0,
    seed: int = 0,
) -> Pixels:
    """A thing before a background: moved, turned, nearer or further, tilted."""
    height, width = thing.shape[:2]
    size = (before.shape[1], before.shape[0])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    angle = np.deg2rad(turn_deg)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there = (corners - (width / 2, height / 2)) * scale @ turned.T + at
    random = np.random.default_rng(seed)
    there = there + random.uniform(-1, 1, there.shape) * tilt * width * scale
    way = cv2.getPerspectiveTransform(corners, there.astype(np.float32))
    whole = np.full((height, width), 255, np.uint8) if mask is None else mask
    over = cv2.warpPerspective(whole, way, size) > 127
    laid = cv2.warpPerspective(thing, way, size, flags=cv2.INTER_AREA)
    return np.asarray(np.where(over[..., None], laid, before), np.uint8)


def several(number: int, seed: int) -> Pixels:
    """A number of equal things (discs, eggs or boxes of one colour) on a plain ground."""
    random = np.random.default_rng(seed)
    pixels = wall(seed)
    names = [name for name in SHADES if name not in ("grey", "white", "black", "brown")]
    colour = bgr(SHADES[names[int(random.integers(len(names)))]][0])
    kind = int(random.integers(3))
    cells = [(column, row) for column in range(4) for row in range(3)]
    random.shuffle(cells)
    for column, row in cells[:number]:
        x = 80 + column * 160 + int(random.integers(-20, 20))
        y = 80 + row * 160 + int(random.integers(-20, 20))
        if kind == 0:
            cv2.circle(pixels, (x, y), 38, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            turn = float(random.integers(180))
            cv2.ellipse(pixels, (x, y), (50, 22), turn, 0, 360, colour, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints(((float(x), float(y)), (70, 40), float(random.integers(90))))
            cv2.fillPoly(pixels, [box.astype(np.int32)], colour, cv2.LINE_AA)
    return shot(pixels, noise=4, seed=seed)


def moved(way: tuple[int, int], seed: int, *, plain: bool = False) -> list[SeenFrame]:
    """Three frames, a second apart, of a thing that moves this many pixels a second."""
    random = np.random.default_rng(seed)
    thing = textured(seed, 120, 140)
    if plain:
        thing[:] = [int(value) for value in random.integers(20, 230, 3)]
    frames = []
    for step in range(3):
        at = (320 + way[0] * (step - 1), 240 + way[1] * (step - 1))
        pixels = held_up(thing, wall(5), at=at)
        shake = (float(random.uniform(-2, 2)), float(random.uniform(-2, 2)))
        exposure = float(random.uniform(0.95, 1.05))
        taken = shot(pixels, shift_px=shake, exposure=exposure, seed=3 * seed + step)
        frames.append(SeenFrame(jpeg(taken), 1000 * step))
    return frames
