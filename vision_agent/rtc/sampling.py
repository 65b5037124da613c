"""Which due pictures are worth a model's tokens: those that show something new. No I/O.

A model is charged 258 tokens for a picture, however little it says. A picture that looks like the
last one sent is skipped, but never for longer than a set time, so that the model's newest picture
always is a recent one. Pictures are compared as tiny thumbnails, in which the noise of a
camera averages out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 32, 24

TOKENS_A_PICTURE = 258
"""What the Live API counts for one picture."""

CHANGED_CELLS = 3
"""Of 16 x 12: as small a part of the picture is enough, if it differs clearly."""

LIGHT_WEIGHT = 0.5
"""Exposure wanders all the time: light that changes everywhere counts half of what a thing does."""

Thumbnail = npt.NDArray[np.uint8]
"""RGB, ``(24, 32, 3)``."""


def difference(old: Thumbnail, new: Thumbnail) -> float:
    """How much two thumbnails differ where they differ the most: levels of any colour, of 255."""
    delta = new.astype(np.int16) - old.astype(np.int16)
    light = float(np.median(delta))
    blocks = (delta - light).reshape(THUMBNAIL_HEIGHT // 2, 2, THUMBNAIL_WIDTH // 2, 2, 3)
    cells = np.abs(blocks.mean(axis=(1, 3))).max(axis=2).ravel()
    most = np.partition(cells, cells.size - CHANGED_CELLS)[-CHANGED_CELLS:]
    return max(float(most.mean()), LIGHT_WEIGHT * abs(light))


class Sampler:
    """Decides about each picture that the rate allows.

    Args:
        threshold: levels from which on a picture is new (see `difference`); 0 or less sends
            every one.
        max_gap_s: a picture is sent after so long, however alike.
    """

    def __init__(self, *, threshold: float = 6.0, max_gap_s: float = 10.0) -> None:
        self._threshold = threshold
        self._max_gap_s = max_gap_s
        self._last: Thumbnail | None = None
        self._sent_at_s = 0.0
        self.skipped = 0
        self.alike_until_s: float | None = None
        """When the newest picture was taken that is the last one sent, or looks like it."""

    def forget(self) -> None:
        """The next picture is new, whatever it shows: the model has been shown something else."""
        self._last = self.alike_until_s = None

    @property
    def active(self) -> bool:
        """Whether there is anything to decide; if not, thumbnails need not be made."""
        return self._threshold > 0

    @property
    def tokens_saved(self) -> int:
        """What the skipped pictures would have cost."""
        return self.skipped * TOKENS_A_PICTURE

    def wants(self, thumbnail: Thumbnail, at_s: float, *, asked: bool) -> bool:
        """Whether to send this picture; one that is wanted is what the next is compared with.

        Args:
            thumbnail: the picture's.
            at_s: when it was taken; pictures come in order.
            asked: somebody wants it whatever it shows.
        """
        wanted = (
            asked
            or self._last is None
            or at_s - self._sent_at_s >= self._max_gap_s
            or difference(self._last, thumbnail) >= self._threshold
        )
        self.alike_until_s = at_s
        if wanted:
            self._last, self._sent_at_s = thumbnail, at_s
        else:
            self.skipped += 1
        return wanted
