"""Gives freed memory back to the system, which glibc keeps between blocks that are in use."""

from __future__ import annotations

import ctypes
import sys


def trim() -> bool:
    """Return freed memory to the system; whether there was any. Without glibc, never."""
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return bool(trim and trim(0))
