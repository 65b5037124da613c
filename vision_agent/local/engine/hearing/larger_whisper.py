"""A Whisper model that replaces the bundled one."""

from __future__ import annotations

from pathlib import Path

VARIABLE = "VISION_AGENT_WHISPER"
"""The variable that names it: a folder, or a name that faster-whisper fetches."""


def model_folder(named: str) -> Path:
    """The folder of a model for CTranslate2, fetched if it is no folder of this machine.

    Args:
        named: A folder, a size like "small.en", or a repository of the Hugging Face Hub.

    Raises:
        OSError: There is no such folder.
        Exception: As faster-whisper raises them: no such name, or no network.
    """
    folder = Path(named).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or named.startswith("."):
        raise FileNotFoundError("there is no such folder")
    # Imported here, because it takes 100 MB with its own imports.
    from faster_whisper import download_model

    return Path(download_model(named))
