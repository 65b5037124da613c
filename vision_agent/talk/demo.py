"""The conversation of `talk --demo`: spoken questions about a recording, without any device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

VIDEO = "bottle.mp4"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the demo: its words, and the file in which they are spoken."""

    words: str
    file: str


QUESTIONS = (
    Question("Hello.", "hello-slt.wav"),
    Question("What do you see?", "what-do-you-see.wav"),
    Question("What colour is this?", "what-colour-is-this.wav"),
)


def demo_files(recordings: Path) -> tuple[Path, list[tuple[Question, Path]]]:
    """Return the video and the spoken questions, in the folder of the recordings."""
    return recordings / VIDEO, [(q, recordings / "speech" / q.file) for q in QUESTIONS]
