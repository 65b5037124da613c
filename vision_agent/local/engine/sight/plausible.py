"""Which of the classifier's classes bear out each label of the detector.

Two networks that were trained on different photographs seldom make the same mistake. So a box is
believed more if the classifier finds in it what it calls the thing, or what it takes it for.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_CLASSES = {
    "bicycle": "444 479 671 870 880",
    "bottle": "440 441 503 631 680 711 720 725 737 838 883 898 899 901 907",
    "book": "446 454 549 624 692 893 917 921 922",
    "box": "478 492 519 549 588 637 692 709",
    "camera": "622 732 759 818 848",
    "car": "407 436 468 475 479 511 581 609 627 654 656 661 675 705 717 751 757 817 864",
    "cat": "281-287",
    "chair": "423 532 559 703 706 762 765 831 857",
    "computer mouse": "673",
    "cow": "345-347 690",
    "dog": "151-275",
    "laptop": "508 527 620 664 681 782 810",
    "monitor": "527 598 664 688 782 851 916",
    "mug": "438 441 463 504 647 659 725 738 809 849 876 967-969",
}
"""By kind. Shoes and tables have none: their crops show feet and what lies on the table."""

ONE_IN_TEN = 0.1
"""Probability of these classes that neither bears a label out nor speaks against it."""

LEAST = 0.02
ALONE = 0.3
"""A label whose classes are less probable than this loses so much: only the surest, such as a drawn
bicycle, stand alone. Of the right labels of all photographs this costs those of two books."""

WEIGHT = 0.1
"""Worth of ten times that probability. On the half of the photographs of benchmarks/sight.py that
all thresholds were chosen on, the detector alone gives 91 right labels and 11 wrong ones at 0.4."""


def borne_out(kind: str, score: float, chances: npt.NDArray[np.float32]) -> float:
    """The detector's score, raised or lowered by what the classifier sees in the box.

    Args:
        kind: The kind of the detector's label.
        score: The detector's score.
        chances: The probabilities of the classifier's 1000 classes for the box.
    """
    chance = support(kind, chances)
    if chance is None:
        return score
    if chance < LEAST:
        return score - ALONE
    return score + WEIGHT * math.log10(chance / ONE_IN_TEN)


def support(kind: str, chances: npt.NDArray[np.float32]) -> float | None:
    """The probability of the classes that bear a kind out; None for a kind without any."""
    if kind not in _CLASSES:
        return None
    return float(chances[numbers(_CLASSES[kind])].sum())


def numbers(text: str) -> list[int]:
    """The numbers in "1 3-5": 1, 3, 4 and 5."""
    ranges = [[int(end) for end in part.split("-")] for part in text.split()]
    return [number for one in ranges for number in range(one[0], one[-1] + 1)]
