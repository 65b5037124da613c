"""The classifier's classes that support each label of the detectors.

Two networks that were trained on different photographs seldom make the same mistake. So a label
counts more if the classifier finds in the box the same thing, or something it often takes that
thing for.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_CLASSES = {
    "airplane": "403-405 895 908",
    "apple": "948 957",
    "backpack": "414 636 748",
    "ball": "417 429-430 522 574 722 747 768 805 852 890",
    "banana": "954",
    "bear": "294-297",
    "bed": "431 516 520 564 721 750 831",
    "bench": "703 706",
    "bicycle": "444 479 671 870 880",
    "bottle": "440 441 503 631 680 711 720 725 737 838 883 898 899 901 907",
    "bird": "7-24 80-100 127-146",
    "boat": "403 449 472 484 510 554 576 625 628 780 814 833 871 914",
    "book": "446 454 549 624 692 893 917 921 922",
    "bowl": "567 659 809 924-926 960-962",
    "box": "478 492 519 549 588 637 692 709",
    "broccoli": "936-938",
    "bus": "654 675 705 779 829 874",
    "cake": "415 927-931 960-962",
    "camera": "622 732 759 818 848",
    "car": "407 436 468 475 479 511 581 609 627 654 656 661 675 705 717 751 757 817 864",
    "cat": "281-287",
    "chair": "423 532 559 703 706 762 765 831 857",
    "clock": "409 426 530-531 604 635 892",
    "computer mouse": "673",
    "cow": "345-347 690",
    "dog": "151-275",
    "elephant": "101 385-386",
    "handbag": "414 636 728 748 790-791 893",
    "horse": "339 603 690",
    "hot dog": "933-934",
    "keyboard": "508 527 620 673 681 810 878",
    "knife": "499 623",
    "laptop": "508 527 620 664 681 782 810",
    "microwave": "534 651 827 859",
    "monitor": "527 598 664 688 782 851 916",
    "motorcycle": "518 665 670",
    "mug": "438 441 463 504 647 659 725 738 809 849 876 967-969",
    "orange": "949-951",
    "oven": "534 651 766 827 859",
    "phone": "482 487 528 590 605 620 664 761",
    "pizza": "963",
    "plant": "580 738 883 984-989",
    "racket": "752 852",
    "refrigerator": "760 894",
    "remote control": "487 528 590 605 761",
    "sandwich": "930-934",
    "sheep": "348-350",
    "sink": "435 794 861 876 896",
    "sofa": "421 423 559 721 750 831",
    "spoon": "618 910",
    "stop sign": "919-920",
    "suitcase": "414 492 636 709 748 771",
    "teddy bear": "850",
    "tie": "400 451 457 617 652 834 906",
    "toaster": "859",
    "toilet": "435 861 876 896 999",
    "traffic light": "919-920",
    "train": "466 547 565 705 820 829 874",
    "truck": "555 569 586 675 717 803 864 866-867",
    "umbrella": "879",
    "vase": "505 725 738 773 883 899",
    "wine glass": "438 441 572 907 966",
    "zebra": "340",
}
"""By kind. Shoes and tables have none: their crops show feet, and the things on the table."""

ONE_IN_TEN = 0.1
"""Probability of the supporting classes that neither raises nor lowers a score."""

LEAST = 0.02
ALONE = 0.3
"""Subtracted from the score of a label whose supporting classes are less probable than ``LEAST``:
only the surest, such as a drawn bicycle, remain. Over all photographs this loses two right labels,
both books."""

WEIGHT = 0.1
"""Added to the score for each tenfold of that probability. On the half of the photographs of
benchmarks/sight.py on which all thresholds were chosen, the detector alone gives 91 right labels
and 11 wrong ones at 0.4."""


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
    """The probability of the classes that support a kind; None for a kind without such classes."""
    if kind not in _CLASSES:
        return None
    return float(chances[numbers(_CLASSES[kind])].sum())


def numbers(text: str) -> list[int]:
    """The numbers in "1 3-5": 1, 3, 4 and 5."""
    ranges = [[int(end) for end in part.split("-")] for part in text.split()]
    return [number for one in ranges for number in range(one[0], one[-1] + 1)]
