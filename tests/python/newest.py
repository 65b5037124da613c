"""Python with the newest major version of google-genai, in an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_NEWEST = Path(sys.prefix) / "genai-3" / "bin" / "python"


def newest_python() -> Path:
    """The interpreter of that environment; skips with a reason if it is not installed."""
    if not _NEWEST.exists():
        pytest.skip("google-genai 3 is not installed; `make test` installs it.")
    return _NEWEST
