"""Python with the newest major version of google-genai, in the environment beside this file."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_NEWEST = HERE / ".venv" / "bin" / "python"


def newest_python() -> Path:
    """Its interpreter; skips in words where it is not installed."""
    if not _NEWEST.exists():
        pytest.skip("google-genai 3 is not installed; `make test` does it.")
    return _NEWEST
