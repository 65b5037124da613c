"""One of pytest's workers as pytest-xdist starts it, where what is imported cannot be forked."""

from __future__ import annotations

import os
import sys

from tests.support.fork_request import ADDRESS_VARIABLE

if __name__ == "__main__":
    os.environ[ADDRESS_VARIABLE], *arguments = sys.argv[1:]
    os.execv(sys.executable, [sys.executable, *arguments])
