"""One of pytest's workers: what ``python -u -c …`` is for pytest-xdist, as a fork."""

from __future__ import annotations

import gc
import os
import sys

from tests.support.collected import kept
from tests.support.fork_request import ADDRESS_VARIABLE

if __name__ == "__main__":
    # The worker server forks the workers; the fork server forks the processes that they start.
    os.environ[ADDRESS_VARIABLE] = sys.argv[1]
    kept.hand_over()
    # The process lives only for the minutes of one run, so it may collect garbage less often.
    gc.set_threshold(20_000, 20, 20)
    exec(sys.argv[-1])
