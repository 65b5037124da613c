"""How loud decoded sound is, and from which level on it is a voice. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vision_agent.caller.recording import Samples

VOICED_RMS = 64.0
"""-54 dBFS. Coded silence decodes to a few units at most; the quietest syllable is far above."""


def rms(samples: Samples) -> float:
    """Root mean square of s16 samples, 0 to 32768; 0 of an empty array."""
    if not samples.size:
        return 0.0
    wide = samples.astype(np.float32)
    return math.sqrt(float(np.vdot(wide, wide)) / samples.size)
