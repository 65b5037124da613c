"""Where this machine keeps what programs remember of their users."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "VISION_AGENT_DATA_DIR"


def data_folder(chosen: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder for what is kept from call to call; it need not exist yet.

    Args:
        chosen: The one that an option names; it wins.
        environ: Then ``VISION_AGENT_DATA_DIR``; then the platform's own place: the XDG Base
            Directory Specification's ``XDG_DATA_HOME`` on Linux, ``Application Support`` on macOS,
            ``LOCALAPPDATA`` on Windows.
    """
    if chosen is not None:
        return chosen.expanduser()
    if named := environ.get(VARIABLE, "").strip():
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME", ""))
        if not base.is_absolute():  # as the specification says, a relative path is ignored
            base = Path.home() / ".local" / "share"
    return base / "vision_agent"
