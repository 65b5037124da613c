"""Decides which due frames are worth a model's tokens: those that show something new. No I/O.

A frame costs 258 of the model's tokens, however little it shows. A frame that looks like the last
one sent is skipped, but only for a set time, so that the model's newest frame is always a recent
one. Frames are compared as small thumbnails, in which a camera's noise averages out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 32, 24
"""The size of the thumbnails that show a camera's frames."""

TOKENS_PER_FRAME = 258
"""The tokens that the Live API counts for one frame."""

CHANGED_CELLS = 3
"""How many cells (2 x 2 pixels of a thumbnail) are compared, the most different ones: so small a
part of the frame is enough if it differs clearly."""

LIGHT_WEIGHT = 0.5
"""The weight of a change of light in the whole frame. A camera's exposure drifts all the time, so
such a change counts half as much as a change of a part."""

Thumbnail = npt.NDArray[np.uint8]
"""RGB, ``(height, width, 3)``, both sides even; of a camera ``(24, 32, 3)``."""


def difference(old: Thumbnail, new: Thumbnail) -> float:
    """How much two thumbnails differ where they differ most, in levels of 255 of any colour."""
    delta = new.astype(np.int16) - old.astype(np.int16)
    light = float(np.median(delta))
    height, width = new.shape[:2]
    blocks = (delta - light).reshape(height // 2, 2, width // 2, 2, 3)
    cells = np.abs(blocks.mean(axis=(1, 3))).max(axis=2).ravel()
    most = np.partition(cells, cells.size - CHANGED_CELLS)[-CHANGED_CELLS:]
    return max(float(most.mean()), LIGHT_WEIGHT * abs(light))


class ChangeDetector:
    """Decides about each frame that the rate allows.

    Args:
        threshold: the `difference` from which on a frame counts as new; at 0 or less every frame
            is sent.
        max_gap_s: how long after the last frame sent the next one is sent, however similar.
        size: width and height of the thumbnails, both even. A camera's are small, so that its noise
            averages out; a screen has none, and a word of it may change.
    """

    def __init__(
        self,
        *,
        threshold: float = 6.0,
        max_gap_s: float = 10.0,
        size: tuple[int, int] = (THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT),
    ) -> None:
        self.size = size
        self._threshold = threshold
        self._max_gap_s = max_gap_s
        self._last: Thumbnail | None = None
        self._sent_at_s = 0.0
        self.skipped = 0
        self.alike_until_s: float | None = None
        """The capture time of the newest frame that was sent or looks like the one sent last."""

    def forget(self) -> None:
        """Makes the next frame count as new, because the model has been shown something else."""
        self._last = self.alike_until_s = None

    @property
    def active(self) -> bool:
        """Whether any frame may be skipped; if not, no thumbnails are needed."""
        return self._threshold > 0

    @property
    def tokens_saved(self) -> int:
        """The tokens that the skipped frames would have cost."""
        return self.skipped * TOKENS_PER_FRAME

    def wants(self, thumbnail: Thumbnail, at_s: float, *, asked: bool) -> bool:
        """Whether to send a frame. Later frames are compared with the last one that is sent.

        Args:
            thumbnail: the frame's thumbnail.
            at_s: the frame's capture time; frames come in order.
            asked: whether the frame was asked for and is sent whatever it shows.
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
