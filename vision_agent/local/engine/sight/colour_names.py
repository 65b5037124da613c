"""The eleven basic colour names of Berlin and Kay, for colours in Oklab."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision_agent.local.engine.sight.oklab import Floats, chroma, hue_deg

NAMES = (
    "black",
    "grey",
    "white",
    "red",
    "orange",
    "brown",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
)
BLACK, GREY, WHITE, RED, ORANGE, BROWN, YELLOW, GREEN, BLUE, PURPLE, PINK = range(11)

Codes = npt.NDArray[np.uint8]
"""Indices into ``NAMES``."""

# Lightness is relative to the frame's own white, which is 1: see white_balance.py.
BLACK_BELOW = 0.30
WHITE_FROM = 0.865

# Names by hue, for colours that are neither dark nor pale: (lowest hue in degrees, name).
_HUES = (
    (0.0, PINK),
    (11.0, RED),
    (41.0, ORANGE),
    (82.0, YELLOW),
    (116.0, GREEN),
    (192.0, BLUE),
    (283.0, PURPLE),
    (332.0, PINK),
)


def names_of(lab: Floats, *, white_known: bool = False) -> Codes:
    """The basic name of each Oklab colour ``(..., 3)``, as an index into ``NAMES``.

    Args:
        lab: The colours, relative to the frame's white if that is known.
        white_known: Whether the frame shows a white reference. If so, a lower chroma already counts
            as a colour: in front of a grey wall, pale blue glass looks blue.
    """
    lightness, saturation, hue = lab[..., 0], chroma(lab), hue_deg(lab)
    starts = np.array([start for start, _ in _HUES])
    of_hue = np.array([name for _, name in _HUES], np.uint8)
    names = of_hue[np.searchsorted(starts, hue, side="right") - 1]

    def rename(where: npt.NDArray[np.bool_], name: int) -> None:
        names[where] = name

    # Near pink, a strong or dark colour is red. Pale red is pink.
    rename((hue < 11) & (lightness < 0.60) & (saturation > 0.10), RED)
    rename((hue >= 350) & (lightness < 0.52) & (saturation > 0.10), RED)
    rename((hue >= 11) & (hue < 33) & (lightness > 0.66) & (saturation < 0.185), PINK)
    rename((hue >= 332) & (hue < 350) & (lightness < 0.58), PURPLE)
    rename((hue < 36) & (lightness > 0.76), PINK)
    # Brown: dark or dull orange, and dull red or yellow. Light, dull colours are "light brown":
    # wood, skin, cardboard.
    rename((hue >= 41) & (hue < 100) & (lightness < 0.60), BROWN)
    rename((hue >= 36) & (hue < 82) & (lightness >= 0.60) & (saturation < 0.105), BROWN)
    rename((hue >= 82) & (hue < 100) & (lightness < 0.80) & (saturation < 0.09), BROWN)
    rename((hue >= 15) & (hue < 41) & (lightness < 0.60) & (saturation < 0.095), BROWN)
    rename((hue >= 15) & (hue < 41) & (lightness < 0.40) & (saturation < 0.11), BROWN)
    # Dark yellow is not called yellow: mustard is brown, olive is green.
    rename((hue >= 100) & (hue < 116) & (lightness < 0.72), GREEN)
    rename((hue > 315) & (hue < 332) & (lightness > 0.74), PINK)

    # Without enough chroma a colour has no hue. A dark colour needs more chroma.
    least = np.where(lightness >= WHITE_FROM, 0.030, 0.036)
    least[lightness > 0.94] = 0.045  # near the sensor's limit any chroma is a colour cast
    least = least + 0.05 * np.clip(0.42 - lightness, 0, 1)
    if white_known:
        least[(lightness > 0.50) & (lightness < WHITE_FROM)] = 0.019
    plain = saturation < least
    rename(plain & (lightness >= WHITE_FROM), WHITE)
    rename(plain & (lightness < WHITE_FROM), GREY)
    rename((plain | (saturation < 0.045)) & (lightness < BLACK_BELOW), BLACK)
    rename((lightness < 0.17) & (saturation < 0.09), BLACK)
    return names


VIVID = 0.2
"""Chroma from which on a colour is not called light: a traffic light is green, not light green."""

# A colour is called light or dark relative to the usual lightness for its name.
_LIGHT_FROM = {GREY: 0.74, BROWN: 0.60, GREEN: 0.80, BLUE: 0.70, PURPLE: 0.66}
_DARK_BELOW = {
    GREY: 0.45,
    RED: 0.46,
    BROWN: 0.34,
    GREEN: 0.44,
    BLUE: 0.38,
    PURPLE: 0.34,
}


def name_of(lab: Floats, *, white_known: bool = False) -> str:
    """The name of one Oklab colour ``(3,)``, with "light " or "dark " if it is either."""
    code = int(names_of(np.asarray(lab, np.float64).reshape(1, 3), white_known=white_known)[0])
    name, saturation = NAMES[code], float(np.hypot(lab[1], lab[2]))
    # A pale colour looks light at a lower lightness, because it contains more white.
    pale = 0.0 if code in (GREY, BROWN) else 1.2 * max(0.0, 0.08 - saturation)
    if lab[0] >= _LIGHT_FROM.get(code, 9) - pale and saturation < VIVID:
        return f"light {name}"
    if lab[0] < _DARK_BELOW.get(code, 0):
        return f"dark {name}"
    return name


NEAR_DEG = 7.0
"""Distance in degrees from a border between two hues within which people use either name."""

_BETWEEN = (
    (41.0, RED, ORANGE),
    (80.0, ORANGE, YELLOW),
    (116.0, YELLOW, GREEN),
    (192.0, GREEN, BLUE),
)
_BLACK_TO_GREY, _GREY_TO_WHITE = 0.46, 0.76


def near_names(lab: Floats, name: str) -> tuple[str, ...]:
    """The other name that people may use for a colour near a border; mostly none.

    Args:
        lab: The colour in Oklab, relative to the frame's white.
        name: Its name, from `name_of`.
    """
    base = base_name(name)
    if base == "grey":
        if lab[0] < _BLACK_TO_GREY:
            return ("black",)
        return ("white",) if lab[0] > _GREY_TO_WHITE else ()
    hue = float(hue_deg(np.asarray(lab)))
    for edge, below, above in _BETWEEN:
        names = [NAMES[below], NAMES[above]]
        if base in names and abs(hue - edge) < NEAR_DEG:
            names.remove(base)
            return (names[0],)
    return ()


def base_name(name: str) -> str:
    """The basic name within a name: "blue" of "light blue"."""
    return name.rsplit(" ", 1)[-1]
