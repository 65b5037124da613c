"""The part of the model's present answer that has been received. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ReceivedAnswer:
    """An answer, as far as it has come.

    Attributes:
        text: Its words.
        audio_bytes: How much of its sound.
        whole: Whether the model has generated all of it.
    """

    text: str = ""
    audio_bytes: int = 0
    whole: bool = False

    @property
    def begun(self) -> bool:
        """Whether any part of it has been received."""
        return bool(self.text or self.audio_bytes)
