"""Files that come with the package: installed inside it, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def web_folder() -> Path:
    """The folder of the page."""
    return _either(_PACKAGE / "web", _PACKAGE.parent / "web")


def recordings_folder() -> Path:
    """The folder of the recordings that `talk --demo` needs."""
    return _either(_PACKAGE / "demo", _PACKAGE.parent / "samples" / "recordings")


def _either(installed: Path, checkout: Path) -> Path:
    return installed if installed.is_dir() else checkout
