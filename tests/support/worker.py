"""One of pytest's workers: what ``python -u -c …`` is for pytest-xdist, as a fork."""

from __future__ import annotations

import gc
import os
import sys

from tests.support.collected import kept
from tests.support.fork_request import ADDRESS_VARIABLE

if __name__ == "__main__":
    # The worker server forks workers; what a worker starts is forked by the fork server.
    os.environ[ADDRESS_VARIABLE] = sys.argv[1]
    kept.hand_over()
    # Hundreds of tests, one after the other, in a process that lives for a minute or two.
    gc.set_threshold(20_000, 20, 20)
    exec(sys.argv[-1])
